"""What several tests take as an example."""

# A lesson with a cell of each kind.
LESSON = """\
# %% [markdown]
# # A lesson
#
# {{ badge }}
#
# About {{ relu }}. See the [glossary](../docs/glossary.md). {{ minutes }} minutes.

# %% tags=["setup"]
# {{ setup }}

# %% tags=["check-output"]
print("seven")

# %% tags=["check"]
assert "seven"

# %% tags=["exercise"]
### BEGIN SOLUTION
answer = 42
### END SOLUTION

# %% tags=["exercise-check"]
def check_it(answer):
    print("Right. " if answer == 42 else "Not yet: no.")


check_it(answer)
"""
