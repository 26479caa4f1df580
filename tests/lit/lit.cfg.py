# lit's configuration: where the programs are, and what this machine has.
import os

import lit.formats

config.name = "msa"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.environment["PATH"] = os.pathsep.join([config.msa_bin, config.llvm_bin, os.environ["PATH"]])
for name in ("CUDA_HOME", "MSA_CACHE_DIR"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.substitutions.append(("%msa_opt", os.path.join(config.msa_bin, "msa-opt")))
