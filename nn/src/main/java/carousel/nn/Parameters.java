package carousel.nn;

import carousel.autograd.Leaf;
import carousel.tensor.Tensor;
import carousel.tensor.TensorException;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The parameters of a model by name, in a fixed order. Immutable; each parameter occurs once. */
public final class Parameters implements Iterable<Parameters.Named> {
  private final Map<String, Named> byName;

  private Parameters(Map<String, Named> byName) {
    this.byName = byName;
  }

  /**
   * A parameter and the path that leads to it.
   *
   * @param name e.g. {@code stack.0.cell.wx}
   * @param parameter the parameter
   */
  public record Named(String name, Parameter parameter) implements Leaf {
    @Override
    public Tensor value() {
      return parameter.value();
    }

    /** Name, type and shape. */
    @Override
    public String toString() {
      return name + " " + value().dtype() + " " + value().shape();
    }
  }

  /**
   * The parameters of a layer that is a record; see {@link Layer#parameters}.
   *
   * @param layer the record
   * @return its parameters in the order of its components
   * @throws TensorException if it is no record, or its package is not open to carousel.nn
   */
  public static Parameters of(Layer layer) {
    return of(ParameterWalk.of(layer));
  }

  /**
   * Parameters under given names.
   *
   * @param named in order; a parameter that occurs again under another name is left out there
   * @return the parameters
   * @throws TensorException if two parameters have one name
   */
  public static Parameters of(List<Named> named) {
    Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    var byName = new LinkedHashMap<String, Named>();
    for (var entry : named) {
      if (seen.add(entry.parameter()) && byName.putIfAbsent(entry.name(), entry) != null) {
        throw new TensorException(
            "parameters: two parameters are named '" + entry.name() + "'; names must differ");
      }
    }
    return new Parameters(byName);
  }

  /**
   * The parameter of a name.
   *
   * @param name its path
   * @return the parameter
   * @throws TensorException if there is none; the message lists the nearest names
   */
  public Parameter get(String name) {
    var named = byName.get(name);
    if (named == null) {
      throw new TensorException(
          "parameters: there is no '" + name + "'; " + NearMisses.among(names(), name));
    }
    return named.parameter();
  }

  /**
   * How many parameter tensors there are.
   *
   * @return the number of parameters
   */
  public int size() {
    return byName.size();
  }

  /**
   * How many numbers the parameters hold together.
   *
   * @return the sum of their sizes
   */
  public long count() {
    return stream().mapToLong(named -> named.value().size()).sum();
  }

  /** {@return the paths of the parameters, in order} */
  public List<String> names() {
    return List.copyOf(byName.keySet());
  }

  /**
   * Those that satisfy a condition, in the same order and under the same names: to train a part of a
   * model, or to decay its matrices only.
   *
   * @param condition which to take
   * @return the parameters that satisfy it
   */
  public Parameters where(Predicate<Named> condition) {
    return of(stream().filter(condition).toList());
  }

  /** {@return the tensors of the parameters, in order} */
  public List<Tensor> tensors() {
    return stream().map(Named::value).toList();
  }

  /**
   * Runs a model with other tensors in place of its parameters' values, on this thread: weights that another network gives, or
   * those after a step of learning, through which gradients flow. Nothing is written. MAML, with a model and two losses of it
   * (Finn, Abbeel and Levine 2017):
   *
   * <pre>{@code
   * Grad.of(() -> {
   *   Gradients g = Grad.of(() -> model.loss(support.x(), support.y()), parameters);
   *   List<Tensor> adapted = parameters.stream().map(p -> p.value().sub(g.get(p).mul(0.1))).toList();
   *   return parameters.with(adapted, () -> model.loss(query.x(), query.y()));
   * }, parameters);
   * }</pre>
   *
   * @param values one for each parameter, in order, of its type and shape
   * @param body reads the parameters
   * @param <R> what it gives
   * @return its result
   * @throws TensorException if there are more or fewer, or one is not as its parameter
   */
  public <R> R with(List<Tensor> values, Supplier<R> body) {
    if (values.size() != size()) {
      throw new TensorException(
          "with: " + size() + " parameters and " + values.size() + " tensors in their place");
    }
    Map<Leaf, Tensor> all = new LinkedHashMap<>();
    int i = 0;
    for (var named : this) {
      all.put(named, values.get(i++));
    }
    return with(all, body);
  }

  /**
   * As {@link #with(List, Supplier)}, for some of the parameters.
   *
   * @param values of parameters among these
   * @param body reads the parameters
   * @param <R> what it gives
   * @return its result
   * @throws TensorException if a key is no parameter of these, or a tensor is not as its parameter
   */
  public <R> R with(Map<? extends Leaf, Tensor> values, Supplier<R> body) {
    Map<Parameter, Tensor> standIns = new HashMap<>();
    values.forEach((leaf, tensor) -> {
      Parameter parameter = get(leaf.name());
      Tensor of = parameter.value();
      if (leaf.value() != of) {
        throw new TensorException(
            "with: '" + leaf.name() + "' is another model's; give leaves of these parameters");
      }
      if (tensor.dtype() != of.dtype() || !tensor.shape().equals(of.shape())) {
        throw new TensorException(
            String.format(
                Locale.ROOT,
                "with: in place of '%s', %s %s, there cannot stand %s %s",
                leaf.name(),
                of.dtype(),
                of.shape(),
                tensor.dtype(),
                tensor.shape()));
      }
      standIns.put(parameter, tensor);
    });
    return Parameter.with(standIns, body);
  }

  /** {@return the parameters with their names, in order} */
  public Stream<Named> stream() {
    return byName.values().stream();
  }

  @Override
  public Iterator<Named> iterator() {
    return stream().iterator();
  }

  /** One line each: name, type and shape. */
  @Override
  public String toString() {
    return String.join("\n", stream().map(Named::toString).toList());
  }
}
