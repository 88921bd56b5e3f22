// Manual pages of verbs, from the tables.
#pragma once

#include <string>

namespace slipway::cli {

struct Program;

/// One page for each verb, in roff(7); before each a line with a form feed and the page's file name: the build takes them apart. A verb
/// that is another one's second name refers to it.
std::string man_pages(const Program& program);

}  // namespace slipway::cli
