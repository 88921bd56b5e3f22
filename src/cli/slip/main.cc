// slip: the OCI runtime that engines call, and people who have a bundle.
#include "src/cli/program.h"
#include "src/cli/slip/globals.h"
#include "src/cli/slip/init.h"
#include "src/cli/slip/verbs.h"
#include "src/cli/version.h"
#include "src/sys/seccomp.h"

using namespace slipway;
using namespace slipway::cli;

static const Verb* const kVerbs[] = {
    &kCreateVerb, &kStartVerb,  &kRunVerb,      &kExecVerb,  &kPauseVerb,      &kResumeVerb,
    &kUpdateVerb, &kKillVerb,   &kDeleteVerb,   &kStateVerb, &kListVerb,       &kPsVerb,
    &kEventsVerb, &kMountsVerb, &kFeaturesVerb, &kSpecVerb,  &kCheckpointVerb, &kRestoreVerb,
};

static std::string version_of_slip() {
  return version_text("slip") + "libseccomp: " + sys::seccomp_library_version() + "\n";
}

/// runc's: 1, and 255 when a process could not be put into a running container, which cannot be the process's
/// own exit code by accident.
static int exit_code(const Verb* verb, const Error& error) {
  if (error.kind() == ErrorKind::usage) return 1;
  return verb && std::string_view(verb->name) == "exec" ? 255 : 1;
}

/// In runc's words.
static Error miscounted(const Verb& verb, size_t count) {
  const unsigned min = verb.min_args;
  const unsigned max = verb.max_args;
  if (min == max)
    return Error::of(ErrorKind::usage, "\"%s\" requires exactly %u argument(s)", verb.name, min);
  if (count < min)
    return Error::of(ErrorKind::usage, "\"%s\" requires a minimum of %u argument(s)", verb.name, min);
  return Error::of(ErrorKind::usage, "\"%s\" requires a maximum of %u argument(s)", verb.name, max);
}

static constexpr Program kSlip = {
    .name = "slip",
    .summary = "Runs containers from OCI bundles.",
    .options = kSlipOptions,
    .verbs = kVerbs,
    .names_command = "list -q",
    .version = version_of_slip,
    .exit_code = exit_code,
    .miscounted = miscounted,
};

int main(int argc, char** argv, char** envp) {
  if (called_as_init(argc > 0 ? argv[0] : nullptr)) return run_init(argc, argv);
  return run_program(kSlip, argc, argv, envp);
}
