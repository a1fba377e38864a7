from rnnpipe.records.fingerprint import make_fingerprint


def test_unreadable_files_count_by_name(tmp_path):
    paths = [tmp_path / name for name in ("a.txt", "link.txt", "link.jpg", "folder.txt")]
    paths[0].write_text("a")
    paths[3].mkdir()
    for link in paths[1:3]:
        link.symlink_to("nowhere")

    def make():
        return make_fingerprint({}, paths, ["pillow"])["fingerprint"]

    found = [make()]
    assert make() == found[0]
    for link in paths[1:3]:
        link.unlink()
        link.write_text("")
        found.append(make())
    assert len(set(found)) == 3
