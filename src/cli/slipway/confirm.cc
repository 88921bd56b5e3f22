#include "src/cli/slipway/confirm.h"

#include <unistd.h>

#include <string>

#include "src/cli/program.h"

namespace slipway::cli {

Result<bool> confirm(std::string_view warning) {
  TRY(print(std::string(warning) + "\nAre you sure you want to continue? [y/N] "));
  std::string answer;
  char c = 0;
  while (answer.size() < 16 && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
    answer += static_cast<char>(c | 0x20);
  return answer == "y" || answer == "yes";
}

}  // namespace slipway::cli
