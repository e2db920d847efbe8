package carousel.tensor.spi;

import java.util.List;

/**
 * What a {@link Probe} found: the facts, and what to do about what is missing.
 *
 * @param subject what was looked for, in one word or two: {@code CUDA}
 * @param found whether it is there and answers
 * @param facts what was seen, one line each: versions, devices, the places looked at
 * @param advice what to do for what was not there, one line each; empty where nothing is missing
 */
public record ProbeResult(String subject, boolean found, List<String> facts, List<String> advice) {

  /** Copies both lists. */
  public ProbeResult {
    facts = List.copyOf(facts);
    advice = List.copyOf(advice);
  }
}
