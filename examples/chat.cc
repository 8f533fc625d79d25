// A talk of two messages with the library: chat MODEL.litertlm MESSAGE MESSAGE
#include <litertlm/conversation.h>
#include <litertlm/error.h>
#include <litertlm/model.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: chat MODEL.litertlm MESSAGE...\n";
    return 64;
  }
  try {
    const litertlm::Model model = litertlm::Model::Open(argv[1]);
    litertlm::Conversation conversation(model);
    for (int i = 2; i < argc; ++i) {
      std::cout << "> " << argv[i] << "\n";
      const litertlm::Completion reply =
          conversation.Send(argv[i], {}, [](const litertlm::TextChunk& chunk) {
            if (!chunk.thought) std::cout << chunk.text << std::flush;
          });
      std::cout << "\n";
      std::cerr << reply.stats.generated_tokens << " tokens, " << reply.stats.reply_rate()
                << " tokens/s\n";
    }
  } catch (const litertlm::Error& error) {
    std::cerr << error.what() << "\n" << error.hint() << "\n";
    return litertlm::ExitStatus(error.code());
  }
}
