//===- main.cpp - the test program of the FP64 reference ------------------===//
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
