#include "base/utf8.h"

#include <algorithm>
#include <cstdint>

namespace litertlm {
namespace {

struct Lead {
  int continuations;  // -1: not a first byte.
  uint8_t low, high;  // Range of the second byte, which excludes overlong forms and surrogates.
  char32_t bits;
};

Lead ReadLead(uint8_t byte) {
  if (byte < 0x80) return {0, 0, 0, byte};
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF, byte & 0x1Fu};
  if (byte == 0xE0) return {2, 0xA0, 0xBF, byte & 0xFu};
  if (byte == 0xED) return {2, 0x80, 0x9F, byte & 0xFu};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF, byte & 0xFu};
  if (byte == 0xF0) return {3, 0x90, 0xBF, byte & 0x7u};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF, byte & 0x7u};
  if (byte == 0xF4) return {3, 0x80, 0x8F, byte & 0x7u};
  return {-1, 0, 0, 0};
}

}  // namespace

Utf8Char DecodeUtf8(std::string_view text, size_t position) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[position + i]); };
  Lead lead = ReadLead(byte(0));
  if (lead.continuations < 0) return {kReplacementCharacter, 1, false};
  char32_t code = lead.bits;
  for (int i = 1; i <= lead.continuations; ++i) {
    const auto at = static_cast<size_t>(i);
    if (position + at >= text.size() || byte(at) < lead.low || byte(at) > lead.high) {
      return {kReplacementCharacter, at, false};
    }
    code = code << 6 | (byte(at) & 0x3Fu);
    lead.low = 0x80;
    lead.high = 0xBF;
  }
  return {code, static_cast<size_t>(lead.continuations) + 1, true};
}

void AppendUtf8(char32_t code, std::string& out) {
  if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = kReplacementCharacter;
  const auto byte = [&](char32_t value) { out.push_back(static_cast<char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

bool IsValidUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text, i);
    if (!c.valid) return false;
    i += c.length;
  }
  return true;
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text, i);
    out += c.valid ? text.substr(i, c.length) : kReplacementUtf8;
    i += c.length;
  }
  return out;
}

size_t CompleteUtf8Prefix(std::string_view text) {
  // An unfinished character has its first byte among the last three.
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const size_t start = text.size() - back;
    const auto byte = static_cast<uint8_t>(text[start]);
    if ((byte & 0xC0) == 0x80) continue;
    const Utf8Char c = DecodeUtf8(text, start);
    const bool unfinished = !c.valid && c.length == back && ReadLead(byte).continuations > 0;
    return unfinished ? start : text.size();
  }
  return text.size();
}

}  // namespace litertlm
