#include "tests/cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <regex>
#include <thread>

namespace litertlm {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(10);

const char kProgramPath[] = LITERTLM_BINARY_DIR "/litert-lm-cli";

// Becomes the program, in the child.
[[noreturn]] void Execute(const Invocation& invocation) {
  ::setenv("LITERTLM_MODELS_DIR", SharedModels().c_str(), 1);
  ::setenv("HF_HUB_OFFLINE", "1", 1);  // No test asks the real hub.
  ::unsetenv("NO_COLOR");
  for (const auto& [name, value] : invocation.environment) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  if (!invocation.folder.empty() && ::chdir(invocation.folder.c_str()) != 0) ::_exit(126);
  std::vector<std::string> command = invocation.wrapper;
  command.emplace_back(kProgramPath);
  command.insert(command.end(), invocation.arguments.begin(), invocation.arguments.end());
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  // A test that runs in the background of a shell has it ignored, and a program inherits that.
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

int Status(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0); }
  std::array<int, 2> ends{};
};

// Writes `input` and reads both outputs until they end, whichever is ready.
// `interrupt` is the process that gets SIGINT when its first output has come; 0: none.
void Exchange(const std::string& input, int in, int out, int err, pid_t interrupt,
              Outcome& outcome) {
  size_t written = 0;
  if (input.empty()) ::close(std::exchange(in, -1));
  std::array<std::pair<int, std::string*>, 2> streams = {
      {{out, &outcome.out}, {err, &outcome.err}}};
  while (streams[0].first >= 0 || streams[1].first >= 0) {
    std::array<pollfd, 3> fds = {
        {{streams[0].first, POLLIN, 0}, {streams[1].first, POLLIN, 0}, {in, POLLOUT, 0}}};
    ::poll(fds.data(), fds.size(), -1);
    for (size_t i = 0; i < 2; ++i) {
      if (fds[i].revents == 0) continue;
      std::array<char, 65536> buffer;
      const ssize_t n = ::read(streams[i].first, buffer.data(), buffer.size());
      if (n > 0) {
        streams[i].second->append(buffer.data(), static_cast<size_t>(n));
        if (i == 0 && interrupt != 0) ::kill(std::exchange(interrupt, 0), SIGINT);
      } else {
        ::close(std::exchange(streams[i].first, -1));
      }
    }
    if (in >= 0 && fds[2].revents != 0) {
      const ssize_t n = ::write(in, input.data() + written, input.size() - written);
      if (n > 0) written += static_cast<size_t>(n);
      if (n <= 0 || written == input.size()) ::close(std::exchange(in, -1));
    }
  }
  if (in >= 0) ::close(in);
}

}  // namespace

TestFolder::TestFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "litertlm-XXXXXX").string();
  EXPECT_NE(::mkdtemp(name.data()), nullptr);
  path_ = name;
}

TestFolder::~TestFolder() { std::filesystem::remove_all(path_); }

const std::filesystem::path& SharedModels() {
  static const std::filesystem::path folder = LITERTLM_BINARY_DIR "/tests/models";
  return folder;
}

void ConvertOnce(const std::string& model) {
  const Outcome outcome = RunProgram({"convert", model});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
}

Process::Process(const Invocation& invocation) : invocation_(invocation) {
  ::signal(SIGPIPE, SIG_IGN);
  Pipe in;
  Pipe out;
  Pipe err;
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(invocation.input ? in.ends[0] : ::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(invocation.out_file.empty()
               ? out.ends[1]
               : ::open(invocation.out_file.c_str(), O_WRONLY | O_CREAT, 0644),
           STDOUT_FILENO);
    ::dup2(err.ends[1], STDERR_FILENO);
    Execute(invocation);
  }
  ::close(in.ends[0]);
  ::close(out.ends[1]);
  ::close(err.ends[1]);
  in_ = in.ends[1];
  out_ = out.ends[0];
  err_ = err.ends[0];
  if (invocation.closed_output) ::close(std::exchange(out_, -1));
}

Process::~Process() {
  if (pid_ <= 0) return;
  Signal(SIGKILL);
  Wait();
}

void Process::Signal(int signal) const { ::kill(pid_, signal); }

Outcome Process::Wait() {
  Outcome outcome;
  Exchange(invocation_.input.value_or(""), in_, out_, err_, invocation_.interrupt ? pid_ : 0,
           outcome);
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  outcome.status = Status(status);
  return outcome;
}

Outcome Invoke(const Invocation& invocation) { return Process(invocation).Wait(); }

Outcome RunProgram(const std::vector<std::string>& arguments) {
  return Invoke(Invocation{.arguments = arguments});
}

Terminal::Terminal(const Invocation& invocation) {
  winsize size{.ws_row = 40, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
  pid_ = ::forkpty(&fd_, nullptr, nullptr, &size);
  if (pid_ == 0) {
    ::setenv("TERM", "xterm-256color", 1);
    Execute(invocation);
  }
}

Terminal::~Terminal() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(fd_);
}

void Terminal::Type(const std::string& keys) {
  ASSERT_EQ(::write(fd_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

bool Terminal::WaitFor(const std::string& text) {
  const Clock::time_point end = Clock::now() + kPatience;
  for (;;) {
    const size_t at = shown_.find(text, seen_);
    if (at != std::string::npos) {
      seen_ = at + text.size();
      return true;
    }
    if (Clock::now() > end || !Read(100)) {
      ADD_FAILURE() << "\"" << text << "\" was not shown after:\n"
                    << shown_.substr(0, seen_) << "\nbut:\n"
                    << shown_.substr(seen_);
      return false;
    }
  }
}

bool Terminal::WaitForPrompt() {
  if (!WaitFor("> ")) return false;
  const Clock::time_point end = Clock::now() + kPatience;
  while (Clock::now() < end) {
    termios mode{};
    if (::tcgetattr(fd_, &mode) == 0 && (mode.c_lflag & ICANON) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ADD_FAILURE() << "The prompt does not read keys.";
  return false;
}

// False at the end of the program.
bool Terminal::Read(int milliseconds) {
  pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
  if (::poll(&ready, 1, milliseconds) == 0) return true;
  std::array<char, 65536> buffer;
  const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
  if (n <= 0) return false;
  raw_.append(buffer.data(), static_cast<size_t>(n));
  static const std::regex kEscapes("\x1b\\[[0-9;?]*[A-Za-z]|\r");
  shown_ = std::regex_replace(raw_, kEscapes, "");
  return true;
}

std::vector<std::string> Terminal::Screen() const {
  std::vector<std::string> lines(1);
  size_t column = 0;
  for (size_t i = 0; i < raw_.size(); ++i) {
    if (raw_.compare(i, 3, "\x1b[K") == 0) {
      lines.back().resize(column);
      i += 2;
    } else if (raw_[i] == '\r') {
      column = 0;
    } else if (raw_[i] == '\n') {
      lines.emplace_back();
      column = 0;
    } else {
      if (column == lines.back().size()) lines.back() += ' ';
      lines.back()[column++] = raw_[i];
    }
  }
  return lines;
}

int Terminal::Wait() {
  const Clock::time_point end = Clock::now() + kPatience;
  while (Clock::now() < end) {
    if (!Read(20)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      while (Read(20) && Clock::now() < end) {
      }  // What it wrote last.
      return Status(status);
    }
  }
  return -1;
}

}  // namespace litertlm
