package carousel.nn.random;

import java.util.List;
import java.util.Set;

/**
 * One run of a layer: on what, and what is wanted of it.
 *
 * @param steps T
 * @param rows N
 * @param lengths of the rows; empty if all are T long
 * @param given whether an initial state is given
 * @param training whether there is dropout
 * @param wanted what the loss reads
 * @param view how x lies in memory
 * @param fresh what is assigned before the call; all of it before the first
 * @param threads more than 1: the bits are compared with those of one thread
 * @param second whether second derivatives are compared
 */
record Call(
    int steps,
    int rows,
    List<Integer> lengths,
    boolean given,
    boolean training,
    Wanted wanted,
    View view,
    Set<Fresh> fresh,
    int threads,
    boolean second) {
  Call {
    lengths = List.copyOf(lengths);
    fresh = Set.copyOf(fresh);
  }

  /** What a loss reads of a run. */
  enum Wanted {
    EVERYTHING,
    OUTPUTS,
    STATES,
    LAST,
    /** The last tensor of the last state, and nothing else. */
    ONE_STATE
  }

  /** How a tensor lies in memory. */
  enum View {
    DENSE,
    /** The first two axes swapped. */
    SWAPPED,
    /** Some columns of more. */
    NARROW,
    /** What lies past the lengths is NaN. */
    PADDED
  }

  /** What changes between two calls. */
  enum Fresh {
    WEIGHTS,
    CAPTURED,
    NUMBERS
  }

  Call sized(int newSteps, int newRows, List<Integer> newLengths) {
    return new Call(
        newSteps, newRows, newLengths, given, training, wanted, view, fresh, threads, second);
  }

  Call asked(boolean newGiven, boolean newTraining, Wanted newWanted, View newView) {
    return new Call(
        steps, rows, lengths, newGiven, newTraining, newWanted, newView, fresh, threads, second);
  }

  Call checked(Set<Fresh> newFresh, int newThreads, boolean newSecond) {
    return new Call(
        steps, rows, lengths, given, training, wanted, view, newFresh, newThreads, newSecond);
  }
}
