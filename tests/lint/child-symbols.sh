#!/bin/bash
# labels: unit
# The code between clone and exec calls nothing but system calls.
. "$SOURCE/tests/lib/common.sh"
# Sanitizers call into their run-time library from everywhere.
! instrumented || skip "instrumented"
"$SOURCE/contrib/check-child-symbols"
