//===- Output.cpp - where compiled things go ------------------------------===//
#include "Output.h"

#include "support/File.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace fs = std::filesystem;

namespace msa::tools {
namespace {

bool sameImage(const Artifact &a, const Artifact &b) {
  return a.op == b.op && a.target == b.target && a.entry == b.entry && a.bytes == b.bytes;
}

std::string indexText(std::span<const Artifact> artifacts, std::span<const std::string> names) {
  nlohmann::ordered_json index = nlohmann::ordered_json::array();
  for (size_t i = 0; i < artifacts.size(); ++i)
    index.push_back({{"op", artifacts[i].op},
                     {"target", artifacts[i].target},
                     {"entry", artifacts[i].entry},
                     {"file", names[i]}});
  return index.dump(2) + "\n";
}

/// A folder that we made: it has an index.json. Anything else with content is not replaced.
bool isOurs(const fs::path &folder) {
  std::error_code error;
  return fs::is_empty(folder, error) || fs::is_regular_file(folder / "index.json", error);
}

/// Puts the finished folder `aside` in the place of `output`. An old folder is exchanged in one
/// step and then removed.
Status moveFolder(const fs::path &aside, const fs::path &output) {
  if (::rename(aside.c_str(), output.c_str()) == 0)
    return {};
  if ((errno == ENOTEMPTY || errno == EEXIST) &&
      ::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, output.c_str(), RENAME_EXCHANGE) == 0) {
    std::error_code error;
    fs::remove_all(aside, error);
    return {};
  }
  return Status::invalid(fmt::format("-o {}: {}", output.string(), std::strerror(errno)));
}

Status writeFolder(const fs::path &output, std::span<const Artifact> artifacts) {
  std::error_code error;
  fs::path place = output.has_filename() ? output : output.parent_path();
  if (place.has_parent_path())
    fs::create_directories(place.parent_path(), error);
  std::string aside = place.string() + ".XXXXXX";
  if (!::mkdtemp(aside.data()))
    return Status::invalid(fmt::format("-o {}: {}", output.string(), std::strerror(errno)));
  fs::permissions(aside, fs::perms(0755), error);
  std::vector<std::string> names = artifactNames(artifacts);
  Status status;
  for (size_t i = 0; i < artifacts.size() && status.ok(); ++i)
    status = writeFileAtomic(fs::path(aside) / names[i], artifacts[i].bytes);
  if (status.ok())
    status = writeFileAtomic(fs::path(aside) / "index.json", indexText(artifacts, names));
  if (status.ok())
    status = moveFolder(aside, place);
  if (!status.ok())
    fs::remove_all(aside, error);
  return status;
}

} // namespace

std::vector<Artifact> imageArtifacts(std::span<const Program> programs, const std::string &emit) {
  std::vector<Artifact> artifacts;
  for (const Program &program : programs)
    for (const KernelImage &image : program.kernels) {
      Artifact artifact{
          .op = image.phase,
          .target = image.target,
          .entry = image.entry,
          .suffix = emit,
          .bytes = emit == "ptx" ? image.ptx : std::string(image.cubin.begin(), image.cubin.end())};
      if (std::none_of(artifacts.begin(), artifacts.end(),
                       [&](const Artifact &other) { return sameImage(artifact, other); }))
        artifacts.push_back(std::move(artifact));
    }
  return artifacts;
}

std::vector<std::string> artifactNames(std::span<const Artifact> artifacts) {
  std::set<std::string> targets;
  for (const Artifact &artifact : artifacts)
    targets.insert(artifact.target);
  auto sharesOp = [&](const Artifact &a) {
    return std::count_if(artifacts.begin(), artifacts.end(), [&](const Artifact &b) {
             return a.op == b.op && a.target == b.target;
           }) > 1;
  };
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const Artifact &artifact : artifacts) {
    std::string stem = artifact.op;
    if (sharesOp(artifact) && !artifact.entry.empty() && artifact.entry != artifact.op)
      stem += "." + artifact.entry;
    if (targets.size() > 1)
      stem += "." + artifact.target;
    std::string name = stem + "." + artifact.suffix;
    for (int n = 2; !taken.insert(name).second; ++n)
      name = fmt::format("{}.{}.{}", stem, n, artifact.suffix);
    names.push_back(std::move(name));
  }
  return names;
}

Status checkOutputPlace(const fs::path &output, bool folder) {
  std::error_code error;
  fs::file_status status = fs::status(output, error);
  if (folder) {
    if (fs::exists(status) && !fs::is_directory(status))
      return Status::invalid(
          fmt::format("-o {}: there are several images, which need a folder, and this is a file",
                      output.string()));
    if (fs::exists(status) && !isOurs(output))
      return Status::invalid(fmt::format("-o {}: the folder holds other files (it has no "
                                         "index.json of ours); name a new or empty one",
                                         output.string()));
    return {};
  }
  if (fs::is_directory(status))
    return Status::invalid(
        fmt::format("-o {}: there is one output, a file, and this is a folder", output.string()));
  fs::path parent = output.parent_path();
  if (!output.has_filename() || (!parent.empty() && !fs::is_directory(parent, error)))
    return Status::invalid(
        fmt::format("-o {}: {} is not an existing folder", output.string(), parent.string()));
  return {};
}

Status writeArtifacts(const fs::path &output, std::span<const Artifact> artifacts) {
  if (artifacts.size() == 1)
    return writeFileAtomic(output, artifacts.front().bytes).in("-o");
  return writeFolder(output, artifacts);
}

} // namespace msa::tools
