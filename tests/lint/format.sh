#!/bin/bash
# clang-format would change nothing.
. "$SOURCE/tests/lib/common.sh"
require_command git clang-format
[ -e "$SOURCE/.git" ] || skip "not a git checkout"
"$SOURCE/contrib/check-format"
