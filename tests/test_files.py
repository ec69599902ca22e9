"""Files are there in full or not at all, and as readable as any other file."""

import os

import pytest

from neurula.files import whole, write_whole


def test_what_fails_half_way_leaves_nothing_new(tmp_path):
    file = tmp_path / "result.json"
    write_whole(file, b"old")

    def interrupted():
        with whole(file) as part:
            part.write_bytes(b"new, but")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        interrupted()
    assert [each.name for each in tmp_path.iterdir()] == ["result.json"]
    assert file.read_bytes() == b"old"


def test_others_may_read_what_this_account_lets_them(tmp_path):
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "deep" / "result.json", b"{}")
    finally:
        os.umask(before)
    assert (tmp_path / "deep" / "result.json").stat().st_mode & 0o777 == 0o644
