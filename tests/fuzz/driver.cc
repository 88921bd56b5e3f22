// Runs a fuzz target without libFuzzer, and takes the same command line: -runs=N, -seed=N, -artifact_prefix=P
// and directories of inputs; other options are ignored. Without coverage to guide it, it runs every input of
// the directories, then changes of them that depend on the seed alone.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

// For the handler of the signal that a bad input causes; a signal handler has no other way to reach them.
std::string current;
std::string artifact;

void keep_input(int signal) {
  const int fd = open(artifact.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd >= 0 && write(fd, current.data(), current.size()) >= 0) close(fd);
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void run(const std::string& input) {
  current = input;
  // A copy of its own size, so that the sanitizer sees a read past the end.
  std::vector<uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::string read_file(const std::string& path) {
  std::string text;
  FILE* file = fopen(path.c_str(), "re");
  if (!file) return text;
  char part[65536];
  for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;) text.append(part, n);
  fclose(file);
  return text;
}

void read_corpus(const char* directory, std::vector<std::string>& corpus) {
  dirent** entries = nullptr;
  const int count = scandir(directory, &entries, nullptr, alphasort);  // sorted: every run sees one order
  for (int i = 0; i < count; ++i) {
    if (entries[i]->d_name[0] != '.')
      corpus.push_back(read_file(std::string(directory) + "/" + entries[i]->d_name));
    free(entries[i]);
  }
  free(entries);
}

/// One to eight small changes: a byte set, flipped, removed or doubled, a stretch copied from another input.
std::string mutate(std::string text, const std::vector<std::string>& corpus, std::mt19937_64& random) {
  const auto below = [&](size_t n) { return n ? static_cast<size_t>(random() % n) : 0; };
  static constexpr char kTokens[] = "{}[]\",:0-9eE.\\\0\xff/tfn ";
  for (size_t left = 1 + below(8); left > 0; --left) {
    const size_t at = below(text.size() + 1);
    switch (below(6)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 2:
        text.erase(at, 1 + below(16));
        break;
      case 3:
        text.insert(at, 1, kTokens[below(sizeof kTokens - 1)]);
        break;
      case 4:
        text.insert(at, text.substr(below(text.size() + 1), 1 + below(64)));
        break;
      default: {
        const std::string& other = corpus[below(corpus.size())];
        text.insert(at, other.substr(below(other.size() + 1), 1 + below(128)));
      }
    }
  }
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned long runs = 10000, seed = 1;
  std::string prefix = "./";
  std::vector<std::string> corpus;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-runs=")) {
      runs = strtoul(word.c_str() + 6, nullptr, 10);
    } else if (word.starts_with("-seed=")) {
      seed = strtoul(word.c_str() + 6, nullptr, 10);
    } else if (word.starts_with("-artifact_prefix=")) {
      prefix = word.substr(17);
    } else if (word[0] != '-') {
      read_corpus(argv[i], corpus);
    }
  }
  artifact = prefix + "crash";
  for (const int fatal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) signal(fatal, keep_input);
  corpus.emplace_back();
  std::mt19937_64 random(seed);
  for (const std::string& input : corpus) run(input);
  for (unsigned long i = corpus.size(); i < runs; ++i) {
    alarm(10);
    run(mutate(corpus[random() % corpus.size()], corpus, random));
  }
  printf("%lu inputs\n", runs);
}
