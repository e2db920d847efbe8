package carousel.benchmarks.compare;

/**
 * One line of a table's row: a library at a task.
 *
 * @param library who
 * @param task what
 * @param label how the table calls it
 */
record Entry(Library library, Task task, String label) {
  static Entry of(Library library, Task task) {
    return new Entry(library, task, library.label);
  }
}
