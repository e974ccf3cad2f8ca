"""The course check: a class's copies are run, each by itself, and their answers are checked.

`command` leads through it: `submissions` reads what was handed in, `copies` sets it beside the
lesson, `grade` runs the one in `copy_world` and has its answers checked in `check_world`, two
programs that `sandbox` starts and between which `wire` carries answers as text; `screen` and
`report` show what came out.
"""
