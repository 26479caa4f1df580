#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

/// nvJitLink itself loses the 20 bytes of an architecture's name that it refuses.
extern "C" const char *__lsan_default_suppressions() { return "leak:libnvJitLink.so\n"; }
