"""What a class is given: the lessons without solutions, the helpers, and a README for learners."""

import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import LessonError
from tools import NOTEBOOKS, ROOT

HANDOUT = ROOT / "handout"
NAME = "mnist-lessons"  # the folder in the zip
# What pip reads, and the licences of what is handed out.
FILES = (
    *("pyproject.toml", "constraints.txt", "environment.yml"),
    *("LICENSE", "LICENSE-TEXT", "CITATION.cff"),
)
BEGIN, END = "<!-- learners -->\n", "<!-- /learners -->\n"
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")  # to a file, not to an address


def for_learners(readme: str) -> str:
    """Returns the parts of the text `readme` that are marked as the learners'.

    Raises:
        LessonError: If a mark lacks its other half.
    """
    marks = re.findall(f"{BEGIN}|{END}", readme)
    if not marks or marks != [BEGIN, END] * (len(marks) // 2):
        raise LessonError(f"README.md: each {BEGIN.strip()} needs its {END.strip()} after it.")
    parts = re.findall(f"{BEGIN}(.*?){END}", readme, flags=re.DOTALL)
    return "\n".join(part.strip("\n") + "\n" for part in parts)


def files() -> Iterator[tuple[str, bytes]]:
    """Yields the path and the content of each file that is handed out."""
    readme = for_learners((ROOT / "README.md").read_text(encoding="utf-8"))
    yield "README.md", readme.encode()
    paths = [ROOT / name for name in FILES]
    paths += [path for path in (ROOT / "helpers").rglob("*") if "__pycache__" not in path.parts]
    paths += [*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("*.py")]
    # The pages that a lesson or the README sends its readers to.
    texts = [(ROOT, readme)]
    texts += [(NOTEBOOKS, path.read_text(encoding="utf-8")) for path in NOTEBOOKS.glob("*.ipynb")]
    for folder, text in texts:
        paths += [(folder / link).resolve() for link in LINK.findall(text) if "docs/" in link]
    for path in dict.fromkeys(sorted(paths)):
        if path.is_file():
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()


def handout(to: Path = HANDOUT) -> None:
    """Builds what learners are given into `handout/`, as a folder and as a zip of it."""
    folder = to / NAME
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with zipfile.ZipFile(to / f"{NAME}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
            archive.write(folder / name, f"{NAME}/{name}")
    print(f"{to.name}/{NAME}.zip is for your class; {to.name}/{NAME}/ holds the same.")
