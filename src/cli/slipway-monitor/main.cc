// slipway-monitor: what slipway executes for each container, where static libraries were at hand to build it. slipway is
// the same program as well, and executes itself where this one is not installed beside it; but its dynamic linking costs
// the start of a container more than the monitor's own work.
#include "src/manager/monitor_process.h"

int main(int argc, char** argv) {
  return slipway::manager::run_monitor_process(argc, argv);
}
