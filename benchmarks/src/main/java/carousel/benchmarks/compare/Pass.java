package carousel.benchmarks.compare;

/** How much of a task is timed, and how a {@link Server} is asked for it. */
enum Pass {
  /** All of it: of layers, outputs and gradients. */
  WHOLE("warm", "time"),
  /** The outputs alone, without what gradients need. */
  FORWARD("warm-forward", "forward");

  /** Gets a task ready. */
  final String warm;

  /** Times it. */
  final String time;

  Pass(String warm, String time) {
    this.warm = warm;
    this.time = time;
  }
}
