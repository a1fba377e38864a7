"""File name extensions of images, videos and audio."""

IMAGE_ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".avif"),
    *(".bmp", ".dib", ".tif", ".tiff", ".jp2", ".j2k", ".jpx", ".jpc", ".jpf", ".j2c"),
    *(".pbm", ".pgm", ".ppm", ".pnm", ".tga", ".pcx", ".sgi", ".qoi", ".dds", ".ico"),
)
"""How the names of raster images end, in small letters."""

VIDEO_ENDINGS = (
    *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts"),
    *(".ts", ".wmv", ".flv", ".ogv", ".3gp", ".vob", ".gif"),
)
"""How the names of videos end, in small letters; a GIF may be an image or a video."""

SOUND_ENDINGS = (
    *(".wav", ".wave", ".w64", ".rf64", ".flac", ".ogg", ".oga", ".opus", ".spx", ".mp3", ".mp2"),
    *(".m4a", ".m4b", ".aac", ".mka", ".wma", ".aif", ".aiff", ".aifc", ".caf", ".au", ".snd"),
    *(".amr", ".ac3", ".eac3", ".ape", ".wv", ".tta", ".sph", ".voc"),
)
"""How the names of sound files end, in small letters; videos may have sound too."""
