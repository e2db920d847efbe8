package carousel.autograd;

import java.util.Iterator;
import java.util.List;

/**
 * The lines that asked for an op: of the program, and of the library's layer, loss or optimiser that it called, if any.
 *
 * <p>What is the library's is known by its packages: a program has none of these, whatever modules, jars or images it is
 * packed into.
 *
 * @param program the innermost line that is none of the library's; empty if there is none
 * @param through the innermost line of a layer, loss or optimiser above that; empty if the program applied the op itself
 */
record Caller(String program, String through) {
  private static final StackWalker WALKER = StackWalker.getInstance();

  /** What carries ops out: of no interest to who asked for one. */
  private static final List<String> ENGINE =
      List.of("java.", "jdk.", "carousel.tensor.", "carousel.autograd.", "carousel.cuda.");

  /** What is made of ops. */
  private static final List<String> LAYERS = List.of("carousel.nn.", "carousel.exchange.");

  /** Of the op that is running. */
  static Caller here() {
    return WALKER.walk(frames -> of(frames.iterator()));
  }

  private static Caller of(Iterator<StackWalker.StackFrame> frames) {
    String through = "";
    while (frames.hasNext()) {
      var frame = frames.next();
      if (isIn(LAYERS, frame)) {
        through = through.isEmpty() ? line(frame) : through;
      } else if (!isIn(ENGINE, frame)) {
        return new Caller(line(frame), through);
      }
    }
    return new Caller("", through);
  }

  private static boolean isIn(List<String> packages, StackWalker.StackFrame frame) {
    String name = frame.getClassName();
    for (String prefix : packages) {
      if (name.startsWith(prefix)) {
        return true;
      }
    }
    return false;
  }

  /** A class that was compiled without debugging information has no line. */
  private static String line(StackWalker.StackFrame frame) {
    return frame.getFileName() == null
        ? frame.getClassName() + "." + frame.getMethodName()
        : frame.getFileName() + ":" + frame.getLineNumber();
  }
}
