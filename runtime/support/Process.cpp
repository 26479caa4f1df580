//===- Process.cpp - runs a program and waits for it ----------------------===//
//
// See Process.h. Both pipes are read at once: a child that fills one while we
// wait on the other would never end.
//
//===----------------------------------------------------------------------===//
#include "support/Process.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace msa {
namespace {

Status systemFailure(const char *call, int error) {
  return Status::internal(fmt::format("{}: {}", call, strerror(error)));
}

/// A pipe; both ends close on exec and at the end of the scope.
struct Pipe {
  int readEnd = -1, writeEnd = -1;
  Pipe() = default;
  Pipe(const Pipe &) = delete;
  Pipe &operator=(const Pipe &) = delete;
  ~Pipe() {
    closeEnd(readEnd);
    closeEnd(writeEnd);
  }
  Status open() {
    std::array<int, 2> ends;
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
      return systemFailure("pipe2", errno);
    readEnd = ends[0];
    writeEnd = ends[1];
    return {};
  }
  static void closeEnd(int &end) {
    if (end >= 0)
      ::close(end);
    end = -1;
  }
};

/// What posix_spawn does to the child's descriptors.
struct FileActions {
  posix_spawn_file_actions_t list;
  FileActions() { posix_spawn_file_actions_init(&list); }
  FileActions(const FileActions &) = delete;
  FileActions &operator=(const FileActions &) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&list); }
};

/// The signals of a fresh program: a server's blocked or ignored signals are not its children's.
struct SpawnAttributes {
  posix_spawnattr_t list;
  SpawnAttributes() {
    posix_spawnattr_init(&list);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&list, &none);
    posix_spawnattr_setsigdefault(&list, &defaults);
    posix_spawnattr_setflags(&list, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnAttributes(const SpawnAttributes &) = delete;
  SpawnAttributes &operator=(const SpawnAttributes &) = delete;
  ~SpawnAttributes() { posix_spawnattr_destroy(&list); }
};

Expected<pid_t> spawn(const std::vector<std::string> &arguments, const Pipe &output,
                      const Pipe &errors) {
  FileActions actions;
  posix_spawn_file_actions_addopen(&actions.list, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (output.writeEnd >= 0)
    posix_spawn_file_actions_adddup2(&actions.list, output.writeEnd, STDOUT_FILENO);
  if (errors.writeEnd >= 0)
    posix_spawn_file_actions_adddup2(&actions.list, errors.writeEnd, STDERR_FILENO);
  std::vector<char *> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string &argument : arguments)
    argv.push_back(const_cast<char *>(argument.c_str()));
  argv.push_back(nullptr);
  SpawnAttributes attributes;
  pid_t child = 0;
  int error = posix_spawnp(&child, argv[0], &actions.list, &attributes.list, argv.data(), environ);
  if (error == ENOENT || error == EACCES || error == ENOEXEC)
    return Status::missing(fmt::format("cannot start {}: {}", arguments[0], strerror(error)));
  if (error != 0)
    return systemFailure("posix_spawn", error);
  return child;
}

struct Stream {
  int *descriptor;
  std::string *text;
};

/// Reads what is there; closes the descriptor at the end of the stream.
Status drain(const Stream &stream) {
  std::array<char, 65536> buffer;
  ssize_t got = ::read(*stream.descriptor, buffer.data(), buffer.size());
  if (got > 0)
    stream.text->append(buffer.data(), static_cast<size_t>(got));
  else if (got == 0)
    Pipe::closeEnd(*stream.descriptor);
  else if (errno != EINTR)
    return systemFailure("read", errno);
  return {};
}

/// Collects both streams until the child has closed them.
Status collect(std::array<Stream, 2> streams, uint64_t limit, const std::string &program) {
  while (*streams[0].descriptor >= 0 || *streams[1].descriptor >= 0) {
    std::array<pollfd, 2> waits;
    for (size_t i = 0; i < 2; ++i)
      waits[i] = {.fd = *streams[i].descriptor, .events = POLLIN, .revents = 0};
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      if (errno == EINTR)
        continue;
      return systemFailure("poll", errno);
    }
    for (size_t i = 0; i < 2; ++i)
      if (waits[i].fd >= 0 && waits[i].revents != 0)
        MSA_RETURN_IF_ERROR(drain(streams[i]));
    if (streams[0].text->size() + streams[1].text->size() > limit)
      return Status::internal(fmt::format("{} wrote more than {} bytes", program, limit));
  }
  return {};
}

Status waitFor(pid_t child, ProcessResult &result) {
  int state = 0;
  while (::waitpid(child, &state, 0) < 0)
    if (errno != EINTR)
      return systemFailure("waitpid", errno);
  if (WIFSIGNALED(state))
    result.signal = WTERMSIG(state);
  else
    result.exitCode = WEXITSTATUS(state);
  return {};
}

} // namespace

Expected<ProcessResult> runProcess(const std::vector<std::string> &arguments,
                                   const ProcessOptions &options) {
  if (arguments.empty() || arguments[0].empty())
    return Status::internal("runProcess needs the name of a program");
  Pipe output, errors;
  if (options.captureOutput)
    MSA_RETURN_IF_ERROR(output.open());
  if (options.captureErrors)
    MSA_RETURN_IF_ERROR(errors.open());
  MSA_ASSIGN_OR_RETURN(pid_t child, spawn(arguments, output, errors));
  Pipe::closeEnd(output.writeEnd);
  Pipe::closeEnd(errors.writeEnd);
  ProcessResult result;
  Status collected =
      collect({Stream{&output.readEnd, &result.output}, Stream{&errors.readEnd, &result.errors}},
              options.outputLimit, arguments[0]);
  if (!collected.ok())
    ::kill(child, SIGKILL);
  MSA_RETURN_IF_ERROR(waitFor(child, result));
  MSA_RETURN_IF_ERROR(collected);
  return result;
}

} // namespace msa
