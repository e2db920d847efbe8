package carousel.zoo.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/** Runs a command of the command line in this JVM and keeps what it prints. */
record Shell(int code, String out, String err) {
  static Shell carousel(Object... arguments) {
    var out = new StringWriter();
    var err = new StringWriter();
    var words = new String[arguments.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = String.valueOf(arguments[i]);
    }
    int code = Carousel.run(new PrintWriter(out), new PrintWriter(err), words);
    return new Shell(code, out.toString(), err.toString());
  }

  /** What is wrong, if it is told in one message without a stack trace. */
  String complaint() {
    if (!err.startsWith("carousel: ") || err.contains("\tat ")) {
      throw new AssertionError("no plain complaint: exit code " + code + "\n" + out + "\n" + err);
    }
    return err;
  }
}
