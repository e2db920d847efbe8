package carousel.zoo.system;

import carousel.zoo.plot.Plot;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a run of a system came to: its figures and its plots. */
public final class Outcome {
  private final Map<String, Double> figures = new LinkedHashMap<>();
  private final Map<String, Plot> plots = new LinkedHashMap<>();

  /** Nothing yet. */
  public Outcome() {}

  /**
   * With a figure.
   *
   * @param name as the system declares it
   * @param value what was measured
   * @return this
   */
  public Outcome figure(String name, double value) {
    figures.put(name, value);
    return this;
  }

  /**
   * With a plot.
   *
   * @param name of its files, without what they end in
   * @param plot what is drawn
   * @return this
   */
  public Outcome plot(String name, Plot plot) {
    plots.put(name, plot);
    return this;
  }

  /**
   * The figures.
   *
   * @return by name; not modifiable
   */
  public Map<String, Double> figures() {
    return java.util.Collections.unmodifiableMap(figures);
  }

  /**
   * The plots.
   *
   * @return by the name of their files; not modifiable
   */
  public Map<String, Plot> plots() {
    return java.util.Collections.unmodifiableMap(plots);
  }
}
