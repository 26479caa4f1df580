//===- Pch.cpp - carries the precompiled header ---------------------------===//
#include "dialects/Pch.h"
