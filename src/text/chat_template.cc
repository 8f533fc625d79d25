#include "text/chat_template.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "litertlm/error.h"
#include "text/prompt_family.h"

namespace litertlm {
namespace {

constexpr std::string_view kEmptyThought = "<think>\n\n</think>\n\n";

Affixes Read(const proto::PromptAffixes& affixes) { return {affixes.prefix(), affixes.suffix()}; }

Affixes Read(const PromptFamily::Role& role) {
  return {std::string(role.prefix), std::string(role.suffix)};
}

bool Thinks(const proto::LlmMetadata& metadata) {
  return metadata.llm_model_type().has_qwen3() ||
         std::any_of(metadata.channels().begin(), metadata.channels().end(),
                     [](const proto::Channel& channel) { return channel.start() == "<think>"; });
}

std::vector<std::string> ThoughtMarkersOf(const proto::LlmMetadata& metadata) {
  std::vector<std::string> markers = {"<think>", "</think>"};
  for (const proto::Channel& channel : metadata.channels()) {
    markers.push_back(channel.start());
    markers.push_back(channel.end());
  }
  return markers;
}

}  // namespace

ChatTemplate ChatTemplate::FromMetadata(const proto::LlmMetadata& metadata,
                                        std::string_view where) {
  ChatTemplate result;
  result.thinks_ = Thinks(metadata);
  result.thought_markers_ = ThoughtMarkersOf(metadata);
  if (metadata.has_prompt_templates()) {
    const proto::PromptTemplates& templates = metadata.prompt_templates();
    result.user_ = Read(templates.user());
    result.model_ = Read(templates.model());
    result.system_ = Read(templates.system());
    result.has_system_ = templates.has_system();
  } else if (metadata.has_jinja_prompt_template()) {
    result.jinja_.emplace(metadata.jinja_prompt_template(), where);
    result.thinks_ = result.thinks_ || result.jinja_->thinks();
  } else if (const PromptFamily* family = PromptFamilyOf(metadata.llm_model_type())) {
    result.user_ = Read(family->user);
    result.model_ = Read(family->model);
    result.system_ = Read(family->system);
    result.has_system_ = family->has_system;
  } else {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{}: the metadata holds no prompt templates for chats.", where),
                "Use --raw to give the model text as it is.");
  }
  return result;
}

std::vector<PromptPart> ChatTemplate::RenderTurn(std::string_view system, std::string_view user,
                                                 bool first, bool thinking) const {
  std::vector<PromptPart> parts;
  const auto fixed = [&](std::string text) {
    if (text.empty()) return;
    // Neighbours of one kind are one text: tokens may span the seam.
    if (!parts.empty() && parts.back().control == ControlTokens::kParse) {
      parts.back().text += text;
    } else {
      parts.push_back({std::move(text), ControlTokens::kParse});
    }
  };
  const auto given = [&](std::string text) {
    if (!text.empty()) parts.push_back({std::move(text), ControlTokens::kAsText});
  };
  if (!first) fixed(model_.suffix);
  if (first && !system.empty() && has_system_) {
    fixed(system_.prefix);
    given(std::string(system));
    fixed(system_.suffix);
  }
  fixed(user_.prefix);
  if (first && !system.empty() && !has_system_) {
    given(fmt::format("{}\n\n{}", system, user));
  } else {
    given(std::string(user));
  }
  fixed(user_.suffix + model_.prefix);
  if (thinks_ && !thinking) fixed(std::string(kEmptyThought));
  return parts;
}

void ChatTemplate::MarkControlTokens(Tokenizer& tokenizer) const {
  std::vector<std::string> texts;
  for (const Affixes* affixes : {&user_, &model_, &system_}) {
    texts.push_back(affixes->prefix);
    texts.push_back(affixes->suffix);
  }
  if (jinja_) texts = jinja_->literals();
  for (const std::string& text : texts) {
    for (const TokenId id : tokenizer.Encode(text, ControlTokens::kParse)) {
      const std::string spelling = tokenizer.TokenBytes(id);
      const bool tag = spelling.size() > 2 && spelling.front() == '<' && spelling.back() == '>';
      // Replies hold the markers of thoughts, and come back as text of messages.
      const bool thought = std::find(thought_markers_.begin(), thought_markers_.end(), spelling) !=
                           thought_markers_.end();
      if (tag && !thought) tokenizer.MarkControl(id);
    }
  }
}

bool ChatTemplate::supports_thinking() const { return thinks_; }

}  // namespace litertlm
