#!/bin/bash
# labels: root
# timeout: 120
# Bridge networks through the CNI plugins.
NETWORK_BACKEND=cni exec "$SOURCE/tests/manager/network.sh"
