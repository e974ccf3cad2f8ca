"""What several tests take as an example."""

# A lesson with a cell of each kind.
LESSON = """\
# %% [markdown]
# # A lesson
#
# {{ badge }}
#
# About {{ relu }}. See the [glossary](../docs/glossary.md).

# %% tags=["setup"]
# {{ setup }}

# %% tags=["check-output"]
print("seven")

# %% tags=["exercise"]
def check_it(answer):
    print("Right." if answer == 42 else "Not yet.")


### BEGIN SOLUTION
answer = 42
### END SOLUTION
check_it(answer)
"""
