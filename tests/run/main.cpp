//===- main.cpp - the test program of msa-run -----------------------------===//
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
