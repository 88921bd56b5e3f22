// Any text through the JSON reader: it is refused, or what is written of it reads back and writes the same
// again.
#include <stdlib.h>

#include <string>

#include "src/base/json.h"

using namespace slipway;

struct Node {
  bool flag = false;
  int32_t small = 0;
  uint64_t large = 0;
  double real = 0;
  Str text;
  Opt<int64_t> maybe;
  List<Str> words;
  List<List<int64_t>> matrix;
  Map<Str> labels;
  json::Raw raw;
};
JSON_OBJECT(Node, JSON_FIELD(Node, flag, "flag"), JSON_FIELD(Node, small, "small"),
            JSON_FIELD(Node, large, "large"), JSON_FIELD(Node, real, "real"), JSON_FIELD(Node, text, "text"),
            JSON_FIELD(Node, maybe, "maybe"), JSON_FIELD(Node, words, "words"),
            JSON_FIELD(Node, matrix, "matrix"), JSON_FIELD(Node, labels, "labels"),
            JSON_FIELD(Node, raw, "raw"));

struct Tree {
  Node node;
  Node* pointer = nullptr;
  Opt<Node> maybe;
  List<Node*> list;
  Map<Node> named;
};
JSON_OBJECT(Tree, JSON_FIELD(Tree, node, "node"), JSON_FIELD(Tree, pointer, "pointer"),
            JSON_FIELD(Tree, maybe, "maybe"), JSON_FIELD(Tree, list, "list"),
            JSON_FIELD(Tree, named, "named"));

namespace {

std::string written(const Tree& tree) {
  json::Writer writer;
  writer.value(json::type<Tree>, &tree);
  return std::string(writer.text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Arena arena;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Result<Tree*> first = json::read<Tree>(text, json::type<Tree>, arena);
  if (!first.ok()) return 0;
  const std::string once = written(*first.value());
  Result<Tree*> second = json::read<Tree>(once, json::type<Tree>, arena);
  if (!second.ok() || written(*second.value()) != once) abort();
  return 0;
}
