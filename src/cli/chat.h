// The interactive chat of `run`.
#ifndef LITERTLM_CLI_CHAT_H_
#define LITERTLM_CLI_CHAT_H_

#include <string>

#include "litertlm/conversation.h"
#include "litertlm/model.h"

namespace litertlm {

struct ChatOptions {
  ConversationOptions conversation;
  GenerationOptions generation;
  bool stats = false;  ///< Show counts and rates after each reply.
};

/// Talks until the user leaves. Errors about one message are shown, and the talk goes on.
void Chat(const Model& model, const std::string& model_name, ChatOptions options);

}  // namespace litertlm

#endif  // LITERTLM_CLI_CHAT_H_
