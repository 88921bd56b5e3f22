// Changes made at random, the same on the driver and on vfs: what the driver's own way of finding changes says must be
// what a walk of two full copies says. SUITE_SEED chooses one sequence; a failure names its seed.
#include <map>
#include <random>

#include "tests/drivers/suite.h"

using namespace slipway;

namespace suite {
namespace {

const std::string kImage = layer_id("f1"), kContainer = layer_id("f2");

/// Drives an Editor and remembers what there is.
class Sequence {
 public:
  /// `move_directories`: overlay and aufs answer EXDEV to the rename of a directory from below.
  Sequence(unsigned seed, bool move_directories) : random_(seed), move_directories_(move_directories) {
    tree_[""] = true;
  }

  void grow(Editor& at, int steps) {
    for (int i = 0; i < steps; ++i) {
      const std::string path = new_path();
      if (path.empty()) continue;
      switch (below(4)) {
        case 0:
          make_directory(at, path);
          break;
        case 1:
          at.symlink(path.c_str(), path.c_str());
          tree_[path] = false;
          links_[path] = true;
          break;
        default:
          make_file(at, path, i);
      }
    }
  }

  void change(Editor& at, int steps) {
    for (int i = 0; i < steps; ++i) {
      const std::string path = any_path(), fresh = new_path();
      if (path.empty()) continue;
      switch (below(9)) {
        case 0:
          if (!fresh.empty()) make_file(at, fresh, i);
          break;
        case 1:
          if (!fresh.empty()) make_directory(at, fresh);
          break;
        case 2:
          at.remove(path.c_str());
          forget(path);
          break;
        case 3:
        case 4:
          if (!fresh.empty()) move(at, path, fresh);
          break;
        case 5:
          if (!links_.count(path)) at.mode(path.c_str(), tree_[path] ? 0700 + below(64) : 0600 + below(64));
          break;
        case 6:
          if (!tree_[path] && !links_.count(path)) at.append(path.c_str(), "more");
          break;
        case 7:
          if (!tree_[path]) break;
          forget(path);
          at.replace_directory(path.c_str());
          tree_[path] = true;
          break;
        case 8:
          exchange(at, path, any_path());
      }
    }
  }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_()) % bound; }

  std::string any_path() {
    if (tree_.size() < 2) return "";
    auto at = tree_.begin();
    std::advance(at, 1 + below(static_cast<unsigned>(tree_.size() - 1)));
    return at->first;
  }
  /// A name that is not there, in a directory that is; "" if there is none by chance.
  std::string new_path() {
    auto at = tree_.begin();
    std::advance(at, below(static_cast<unsigned>(tree_.size())));
    std::string parent = at->first;
    if (!at->second) parent = parent.substr(0, std::string(parent).find_last_of('/') + 1);
    while (!parent.empty() && parent.back() == '/') parent.pop_back();
    const std::string name = "n" + std::to_string(below(12));
    const std::string path = parent.empty() ? name : parent + "/" + name;
    return tree_.count(path) ? "" : path;
  }

  void make_file(Editor& at, const std::string& path, int text) {
    at.file(path.c_str(), std::to_string(text) + path);
    tree_[path] = false;
  }
  void make_directory(Editor& at, const std::string& path) {
    at.directory(path.c_str());
    tree_[path] = true;
  }
  static bool is_in(const std::string& path, const std::string& directory) {
    return path == directory || path.starts_with(directory + "/");
  }
  void forget(const std::string& path) {
    std::erase_if(tree_, [&](const auto& entry) { return is_in(entry.first, path); });
    std::erase_if(links_, [&](const auto& entry) { return is_in(entry.first, path); });
  }
  void move(Editor& at, const std::string& from, const std::string& to) {
    if (is_in(to, from) || (tree_[from] && !move_directories_)) return;
    at.rename(from.c_str(), to.c_str());
    for (std::map<std::string, bool>* names : {&tree_, &links_}) {
      std::map<std::string, bool> moved;
      for (const auto& [path, value] : *names)
        if (is_in(path, from)) moved[to + path.substr(from.size())] = value;
      std::erase_if(*names, [&](const auto& entry) { return is_in(entry.first, from); });
      names->merge(moved);
    }
  }
  void exchange(Editor& at, const std::string& one, const std::string& other) {
    if (is_in(one, other) || is_in(other, one)) return;
    if ((tree_[one] || tree_[other]) && !move_directories_) return;
    move(at, one, "exchanged");
    move(at, other, one);
    move(at, "exchanged", other);
  }

  std::mt19937 random_;
  bool move_directories_;
  std::map<std::string, bool> tree_;   // path: is a directory
  std::map<std::string, bool> links_;  // symbolic ones
};

void play(drivers::Driver& driver, unsigned seed, bool move_directories) {
  Sequence sequence(seed, move_directories);
  add_layer(driver, kImage, "", [&](Editor& at) { sequence.grow(at, 150); });
  need(driver.create_rw(kContainer, kImage, {}));
  Editor at(view(driver, kContainer));
  sequence.change(at, 80);
}

}  // namespace

void random_changes(void** state) {
  Subject& subject = subject_of(state);
  Subject oracle = make_oracle(subject);
  const bool move_directories = subject.driver->whiteouts() == drivers::Whiteouts::materialised;
  const char* chosen = getenv("SUITE_SEED");
  const unsigned first = chosen ? static_cast<unsigned>(atoi(chosen)) : 1;
  const unsigned last = chosen || getenv("LAB_GUEST") ? first : 12;
  for (unsigned seed = first; seed <= last; ++seed) {
    for (Subject* each : {&subject, &oracle}) play(*each->driver, seed, move_directories);
    const std::string label = "with seed " + std::to_string(seed);
    assert_same_lines(("tree " + label).c_str(), manifest(view(*subject.driver, kContainer).get()),
                      manifest(view(*oracle.driver, kContainer).get()));
    assert_same_lines(("changes " + label).c_str(), listing(need(subject.driver->changes(kContainer))),
                      listing(need(oracle.driver->changes(kContainer))));
    for (Subject* each : {&subject, &oracle})
      for (const std::string& id : {kContainer, kImage}) need(each->driver->remove(id));
  }
}

}  // namespace suite
