package carousel.benchmarks.compare;

/** A library that can do tasks; each runs in processes of its own, served by {@link Server}. */
@FunctionalInterface
public interface Contestant {

  /**
   * Makes a task ready.
   *
   * @param task what to do
   * @return how to do it
   * @throws UnsupportedOperationException if the library cannot
   */
  Work prepare(Task task);
}
