// What it costs to find the changes of a container: 1,000 changed files over an image of 100,000. Runs when asked for
// (SUITE_COST=1): it is a measurement.
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>

#include "drivers/naive_diff.h"
#include "tests/drivers/suite.h"

using namespace slipway;

namespace suite {
namespace {

constexpr int kDirectories = 1000, kFiles = 100;

double seconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

std::string name_of(int directory, int file) {
  return "d" + std::to_string(directory) + "/f" + std::to_string(file);
}

}  // namespace

void cost_of_changes(void** state) {
  if (!getenv("SUITE_COST")) skip();
  drivers::Driver& driver = *subject_of(state).driver;
  const std::string image = layer_id("c057"), container = layer_id("c058");
  add_layer(driver, image, "", [](Editor& at) {
    for (int directory = 0; directory < kDirectories; ++directory) {
      at.directory(("d" + std::to_string(directory)).c_str());
      for (int file = 0; file < kFiles; ++file) at.file(name_of(directory, file).c_str(), "text");
    }
  });
  need(driver.create_rw(container, image, {}));
  {
    Editor at(view(driver, container));
    for (int i = 0; i < 1000; ++i) at.file(name_of(i % 200, i / 200).c_str(), "changed");
  }
  double best[2] = {1e9, 1e9};
  for (int round = 0; round < 3; ++round) {
    double start = seconds();
    assert_int_equal(need(driver.changes(container)).size(), 1200);
    best[0] = std::min(best[0], seconds() - start);
    const Fd lower = view(driver, image), upper = view(driver, container);
    start = seconds();
    assert_int_equal(need(drivers::diff_trees(lower.get(), upper.get(), {})).size(), 1200);
    best[1] = std::min(best[1], seconds() - start);
  }
  printf("changes() %.4f s, a walk of both trees %.4f s: %.3f\n", best[0], best[1], best[0] / best[1]);
}

}  // namespace suite
