"""Files of public repositories, downloaded one by one from the address of one pinned version."""

import dataclasses
import urllib.error
import urllib.request

_SECONDS = 60.0  # without an answer


@dataclasses.dataclass(frozen=True)
class Repository:
    """Files of a GitHub repository as they were at one commit, which never change."""

    name: str  # owner/repository
    commit: str
    folder: str

    def __str__(self) -> str:
        return f"the folder {self.folder} of the GitHub repository {self.name}"

    @property
    def page(self) -> str:
        """Where a person can download the files by hand."""
        return f"https://github.com/{self.name}/tree/{self.commit}/{self.folder}"

    def address(self, name: str) -> str:
        """Where the contents of a file are."""
        return f"https://raw.githubusercontent.com/{self.name}/{self.commit}/{self.folder}/{name}"

    def files(self, names: tuple[str, ...]) -> dict[str, bytes]:
        """The contents of files of the folder. Raises `OSError`, with advice."""
        return {name: self._file(name) for name in names}

    def _file(self, name: str) -> bytes:
        try:
            with urllib.request.urlopen(self.address(name), timeout=_SECONDS) as answer:
                return answer.read()
        except (OSError, urllib.error.URLError) as error:
            raise OSError(
                f"The data come with {self}, and downloading {name} failed: {error}. Usually the "
                f"network is out of reach; nothing was kept. Try again; or save the files from "
                f"{self.page} by any other way in a FOLDER and give it: --from FOLDER"
            ) from error
