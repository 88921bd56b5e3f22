// Which verb a mistyped word was meant to be.
#include <algorithm>
#include <vector>

#include "src/cli/program.h"

namespace slipway::cli {

namespace {

/// How many letters must be put in, taken out, replaced or swapped with their neighbour.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      cost[i][j] =
          std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string_view closest_verb(const Program& program, std::string_view word) {
  if (word.size() > 32) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(word.size() / 3, 1) + 1;
  // "volume creat" is meant to be "volume create", "vloume" a group.
  const bool whole = word.find(' ') != std::string_view::npos;
  for (const Verb* verb : program.verbs) {
    std::string_view name(verb->name);
    if (!whole) name = name.substr(0, name.find(' '));
    const size_t away = distance(word, name);
    if (away < best_distance && away < name.size()) best = name, best_distance = away;
  }
  return best;
}

}  // namespace slipway::cli
