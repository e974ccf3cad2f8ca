"""What makes, executes, checks and publishes the notebooks; not installed for learners."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ROOT / "lessons"
NOTEBOOKS = ROOT / "notebooks"
SOLUTIONS = NOTEBOOKS / "solutions"
LESSONS = tuple(sorted(path.stem for path in TEXTS.glob("[0-9]*.py")))
GLOSSARY = "glossary"  # a page without code: made like a lesson, not executed
