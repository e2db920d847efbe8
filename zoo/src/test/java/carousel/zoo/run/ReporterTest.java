package carousel.zoo.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class ReporterTest {
  /** A run folder of another's may hold what a terminal takes for a command. */
  @Test
  void whatIsQuotedCannotMoveTheCursor() {
    var out = new StringWriter();
    var screen = new StringWriter();
    var reporter = new Reporter(new PrintWriter(out), new PrintWriter(screen), false);
    reporter.line("text \u001b[2J é\nnext\r");
    reporter.warning("computed on \u0007cpu\u009b");
    assertThat(out.toString().lines()).containsExactly("text \\u{1b}[2J é", "next\\u{d}");
    assertThat(screen.toString().lines()).containsExactly("carousel: computed on \\u{7}cpu\\u{9b}");
  }
}
