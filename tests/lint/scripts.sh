#!/bin/bash
# The linter of shell scripts has nothing to say.
. "$SOURCE/tests/lib/common.sh"
require_command git shellcheck
[ -e "$SOURCE/.git" ] || skip "not a git checkout"
"$SOURCE/contrib/check-scripts"
