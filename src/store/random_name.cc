// Names for containers that were not given one: a manner and a person who shaped computing or shipping.
#include <sys/random.h>

#include <iterator>

#include "src/store/containers.h"

namespace slipway::store {

namespace {

constexpr const char* kManners[] = {
    "able",     "agile",   "alert",   "amber",   "ardent",   "artful",   "balmy",  "bold",    "brave",
    "breezy",   "bright",  "brisk",   "calm",    "candid",   "careful",  "cheery", "civil",   "clear",
    "clever",   "coastal", "cool",    "cordial", "curious",  "daring",   "deft",   "earnest", "easy",
    "eager",    "elated",  "exact",   "fair",    "faithful", "fleet",    "frank",  "fresh",   "gallant",
    "gentle",   "glad",    "golden",  "grand",   "hardy",    "hearty",   "honest", "humble",  "jolly",
    "keen",     "kind",    "lively",  "loyal",   "lucid",    "mellow",   "merry",  "modest",  "neat",
    "nimble",   "noble",   "patient", "plain",   "polite",   "proud",    "quick",  "quiet",   "ready",
    "serene",   "sharp",   "sincere", "snug",    "sober",    "solid",    "spry",   "stable",  "steady",
    "stout",    "sunny",   "swift",   "tender",  "tidy",     "tranquil", "trusty", "upbeat",  "valiant",
    "vigilant", "vivid",   "warm",    "willing", "wise",     "witty",    "zealous"};

constexpr const char* kPeople[] = {
    "aiken",      "allen",     "amdahl",    "babbage",  "backus",   "bacon",     "barton",   "bell",
    "bernstein",  "blackwell", "boole",     "bowditch", "brunel",   "cerf",      "church",   "clarke",
    "cook",       "cooke",     "conway",    "dahl",     "dijkstra", "easley",    "eckert",   "engelbart",
    "ericsson",   "estrin",    "floyd",     "forsythe", "frazier",  "gray",      "hamilton", "hamming",
    "harrison",   "hoare",     "holberton", "hopper",   "huffman",  "iverson",   "johnson",  "kahn",
    "kay",        "kernighan", "kilburn",   "knuth",    "lamarr",   "lampson",   "leibniz",  "liskov",
    "lovelace",   "lynch",     "magellan",  "mauchly",  "mccarthy", "mcilroy",   "mclean",   "mercator",
    "milner",     "moore",     "naur",      "neumann",  "newell",   "nygaard",   "perlman",  "plimsoll",
    "postel",     "rabin",     "ritchie",   "sammet",   "shannon",  "shockley",  "simon",    "strachey",
    "sutherland", "tarjan",    "thompson",  "turing",   "wilkes",   "wilkinson", "wirth",    "zuse"};

}  // namespace

std::string random_name(unsigned attempt) {
  uint32_t dice[3] = {};
  if (getrandom(dice, sizeof dice, 0) != sizeof dice) dice[0] = attempt;
  std::string name = kManners[dice[0] % std::size(kManners)];
  name.append("_").append(kPeople[dice[1] % std::size(kPeople)]);
  if (attempt > 0) name += std::to_string(dice[2] % 10'000'000);
  return name;
}

}  // namespace slipway::store
