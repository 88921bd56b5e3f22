#!/bin/bash
# labels: unit
# Each room includes only the rooms below it.
. "$SOURCE/tests/lib/common.sh"
"$SOURCE/contrib/check-layers"
