#include "src/manager/build.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "src/manager/build_stage.h"
#include "src/manager/events.h"
#include "src/store/work.h"

namespace slipway::manager {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return out;
}

class Builder {
 public:
  Builder(Stores stores, store::Store& store, const BuildRequest& request)
      : stores_(stores), store_(store), request_(request) {}

  Result<std::string> operator()() {
    const store::Work work = TRY(store::Work::begin(stores_.images.root));
    file_ = TRY(parse_dockerfile(request_.dockerfile));
    TRY(check());
    size_t number = 0;
    for (const Instruction& instruction : file_.instructions) {
      ++number;
      if (instruction.name == "FROM" && !stages_.empty() && is_target(*stages_.back())) break;
      TRY(say("Step " + std::to_string(number) + "/" + std::to_string(file_.instructions.size()) + " : " +
              instruction.original + "\n"));
      TRY(step(instruction).ctx("Dockerfile line %d", instruction.line));
    }
    if (stages_.empty()) return Error::of(ErrorKind::invalid, "no build stage in current context");
    BuildStage& last = *stages_.back();
    if (!request_.target.empty() && !is_target(last))
      return Error::of(ErrorKind::invalid, "failed to reach build target %s in Dockerfile",
                       request_.target.c_str());
    TRY(add_labels(last));
    if (last.image().empty())
      return Error::of(ErrorKind::invalid, "No image was generated. Is your Dockerfile empty?");
    TRY(tag(last.image()));
    TRY(report_unused());
    return last.image();
  }

 private:
  Status say(const std::string& line) const { return request_.say ? request_.say(line) : Status(); }

  Status check() const {
    for (const Instruction& instruction : file_.instructions) {
      if (instruction.name == "FROM") return {};
      if (instruction.name != "ARG")
        return Error::of(ErrorKind::invalid,
                         "Dockerfile line %d: no build stage in current context: %s before FROM",
                         instruction.line, instruction.name.c_str());
    }
    return Error::of(ErrorKind::invalid, "the Dockerfile has no FROM");
  }

  bool is_target(const BuildStage& stage) const {
    if (request_.target.empty()) return false;
    return stage.name == lower(request_.target) || std::to_string(stages_.size() - 1) == request_.target;
  }

  Status step(const Instruction& instruction) {
    if (instruction.name == "ARG") return argument(instruction);
    if (instruction.name == "FROM") return from(instruction);
    BuildStage& stage = *stages_.back();
    if (instruction.name == "RUN") return stage.run(instruction);
    if (instruction.name == "COPY" || instruction.name == "ADD") return copy(instruction);
    if (instruction.name == "WORKDIR") return stage.workdir(instruction);
    return stage.change(instruction);
  }

  /// ARG before the first FROM is for the FROM lines; in a stage without a default it takes that value.
  Status argument(const Instruction& instruction) {
    const Variables variables = stages_.empty()
                                    ? Variables([this](std::string_view key) { return global(key); })
                                    : stages_.back()->variables();
    for (const std::string& word : split_words(instruction.rest, file_.escape)) {
      const size_t equals = word.find('=');
      const std::string key = word.substr(0, equals);
      std::optional<std::string> value;
      if (equals != std::string::npos)
        value = TRY(expand_word(std::string_view(word).substr(equals + 1), variables, file_.escape));
      if (!stages_.empty() && !value) value = global(key);
      if (!value) value = platform(key);
      if (const auto given = request_.arguments.find(key); given != request_.arguments.end()) {
        value = given->second;
        used_.push_back(key);
      }
      if (!value) continue;
      if (stages_.empty()) {
        globals_[key] = *value;
      } else {
        stages_.back()->set_argument(key, *value);
      }
    }
    return {};
  }

  std::optional<std::string> global(std::string_view key) const {
    if (const auto found = globals_.find(std::string(key)); found != globals_.end()) return found->second;
    return std::nullopt;
  }

  static std::optional<std::string> platform(const std::string& key) {
    const std::string architecture = oci::host_architecture();
    if (key == "TARGETPLATFORM" || key == "BUILDPLATFORM") return "linux/" + architecture;
    if (key == "TARGETOS" || key == "BUILDOS") return "linux";
    if (key == "TARGETARCH" || key == "BUILDARCH") return architecture;
    if (key == "TARGETVARIANT" || key == "BUILDVARIANT") return "";
    return std::nullopt;
  }

  Status from(const Instruction& instruction) {
    const std::vector<std::string> words = TRY(expand_words(
        instruction.rest, [this](std::string_view key) { return global(key); }, file_.escape));
    if (words.size() == 3 && find_stage(words[2]))
      return Error::of(ErrorKind::invalid, "%s stage name already used", words[2].c_str());
    std::string id;
    if (const BuildStage* stage = find_stage(words[0])) {
      id = stage->image();
    } else if (words[0] != "scratch") {
      Arena arena;
      if (request_.always_pull) TRY(request_.pull(words[0]));
      id = TRY(find_or_pull(words[0], arena))->id.view();
    }
    auto stage = std::make_unique<BuildStage>(stores_, store_, request_, file_.escape);
    if (words.size() == 3) stage->name = lower(words[2]);
    TRY(stage->begin(id));
    for (const std::string_view key : kPredefinedArguments)
      if (const auto given = request_.arguments.find(std::string(key)); given != request_.arguments.end())
        used_.push_back(given->first);
    stages_.push_back(std::move(stage));
    if (!id.empty()) TRY(say(" ---> " + id.substr(0, 12) + "\n"));
    for (const std::string& line : stages_.back()->take_triggers()) {
      const Instruction trigger = TRY(parse_instruction(line, instruction.line));
      TRY(say("# Executing build trigger: " + line + "\n"));
      TRY(step(trigger));
    }
    return {};
  }

  Result<store::Image*> find_or_pull(const std::string& name, Arena& arena) {
    Result<store::Image*> image = stores_.images.images.find(name, arena);
    if (image.ok() || image.error().kind() != ErrorKind::not_found || !request_.pull) return image;
    TRY(request_.pull(name).ctx("No such image: %s", name.c_str()));
    return stores_.images.images.find(name, arena);
  }

  const BuildStage* find_stage(const std::string& word) const {
    for (const auto& stage : stages_)
      if (!stage->name.empty() && stage->name == lower(word)) return stage.get();
    return nullptr;
  }

  Status copy(const Instruction& instruction) {
    const std::string* flag = instruction.flag("from");
    if (!flag) return stages_.back()->copy(instruction, std::nullopt);
    const std::string from = TRY(expand_word(
        *flag, [this](std::string_view key) { return global(key); }, file_.escape));
    const BuildStage* stage = find_stage(from);
    size_t index = 0;
    const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), index);
    if (!stage && error == std::errc() && end == from.data() + from.size() && index + 1 < stages_.size())
      stage = stages_[index].get();
    if (stage) return stages_.back()->copy(instruction, stage->top());
    Arena arena;
    const store::Image* image = TRY(find_or_pull(from, arena));
    return stages_.back()->copy(instruction, std::string(image->top.view()));
  }

  /// As a Dockerfile has to write it, so that it means just these characters.
  std::string quoted(std::string_view text) const {
    std::string out = "\"";
    for (const char c : text) {
      if (c == '"' || c == '$' || c == file_.escape) out += file_.escape;
      out += c;
    }
    return out + '"';
  }

  Status add_labels(BuildStage& stage) {
    if (request_.labels.empty()) return {};
    Instruction label;
    label.name = "LABEL";
    for (const auto& [key, value] : request_.labels)
      label.rest += (label.rest.empty() ? "" : " ") + quoted(key) + "=" + quoted(value);
    return stage.change(label);
  }

  Status tag(const std::string& id) {
    {
      const store::Lock lock = TRY(stores_.images.root.lock_collect(store::Root::Mode::shared));
      for (const oci::Reference& name : request_.names) TRY(stores_.images.images.tag(name, id));
    }
    if (request_.names.empty()) return {};
    TRY(store::add_to_index(stores_.images, id, request_.names));
    for (const oci::Reference& name : request_.names) image_event(store_, "tag", id, name.familiar());
    return {};
  }

  Status report_unused() const {
    for (const auto& [key, value] : request_.arguments)
      if (std::find(used_.begin(), used_.end(), key) == used_.end())
        TRY(say("[Warning] One or more build-args [" + key + "] were not consumed\n"));
    return {};
  }

  Stores stores_;
  store::Store& store_;
  const BuildRequest& request_;
  Dockerfile file_;
  std::map<std::string, std::string> globals_;
  std::vector<std::string> used_;
  std::vector<std::unique_ptr<BuildStage>> stages_;
};

}  // namespace

Result<std::string> build_image(Stores stores, store::Store& store, const BuildRequest& request) {
  return Builder(stores, store, request)();
}

}  // namespace slipway::manager
