"""How a records directory is laid out: the names of its files, and nothing else.

<directory>/
    vqa-train.tfrecord-00000-of-00008 …   the records
    dataset_info.json, features.json      what TensorFlow Datasets reads first
    manifest.json                         all other files, with their sizes and checksums
    fingerprint.json                      what the records were made from, and a hash of it
    stats.json                            counts, lengths, coverage, dead letters
    dead_letters-00000.jsonl              raw records left out, with the reason
    tokenizer.model, tokenizer.json       the vocabulary that token ids refer to
    word_vectors.npz                      the vectors of its tokens, where they come from elsewhere
    answers.json                          the answers that `answer_ids` refer to (vqa)
    labels.json                           the names of the classes (text_class, frames of video)
    clip_labels.json                      the names of the classes of whole clips (video)
    symbols.json                          the vocabulary of a stream of text (text_stream)
    source/, target/                      a tokenizer each; the same one if it is joint (text_pair)
"""

FINGERPRINT = "fingerprint.json"
STATS = "stats.json"
DEAD_LETTERS = "dead_letters-00000.jsonl"
ANSWERS = "answers.json"
LABELS = "labels.json"
CLIP_LABELS = "clip_labels.json"
SOURCE, TARGET = "source", "target"
SPLITS = ("train", "validation", "test")


def shard_name(kind: str, split: str, shard: int, shards: int) -> str:
    """The file name of a shard.

    Example:
        >>> shard_name("vqa", "train", 3, 8)
        'vqa-train.tfrecord-00003-of-00008'
    """
    return f"{kind}-{split}.tfrecord-{shard:05d}-of-{shards:05d}"


def is_shard(name: str) -> bool:
    """Whether a file of a records directory holds records."""
    return ".tfrecord-" in name


def shard_template(kind: str) -> str:
    """The same as a template of TensorFlow Datasets."""
    return f"{kind}-{{SPLIT}}.{{FILEFORMAT}}-{{SHARD_X_OF_Y}}"
