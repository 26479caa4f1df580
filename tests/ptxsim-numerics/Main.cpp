//===- Main.cpp - entry of the numerics tests -----------------------------===//
//
// Catch2's main, in a file of its own so that tests can be many files.
//
//===----------------------------------------------------------------------===//
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
