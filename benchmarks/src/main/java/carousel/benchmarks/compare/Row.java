package carousel.benchmarks.compare;

import java.util.List;

/**
 * What is measured together: the first entry is ours, the others are compared with it.
 *
 * @param name the shape, as tables show it
 * @param quick whether {@code --quick} takes it
 * @param reference whether it is there to compare other rows with: a summary leaves it out
 * @param entries ours and others
 */
record Row(String name, boolean quick, boolean reference, List<Entry> entries) {
  Row(String name, boolean quick, List<Entry> entries) {
    this(name, quick, false, entries);
  }
}
