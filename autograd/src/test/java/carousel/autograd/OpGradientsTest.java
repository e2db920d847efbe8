package carousel.autograd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Devices;
import carousel.tensor.contract.OpCase;
import carousel.tensor.contract.OpCases;
import carousel.tensor.op.Op;
import carousel.tensor.op.Reduce;
import carousel.tensor.op.ReduceAxes;
import carousel.tensor.op.Transfer;
import carousel.tensor.op.Views;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The rule of every op, on every device, to second order: whatever op joins the catalogue is here. */
class OpGradientsTest {

  @TestFactory
  Stream<DynamicContainer> agreeWithDifferences() {
    Map<String, List<OpCase>> rows =
        OpCases.smooth()
            .collect(Collectors.groupingBy(OpCase::row, LinkedHashMap::new, Collectors.toList()));
    return Devices.underTest().stream()
        .map(device ->
            DynamicContainer.dynamicContainer(
                device.name(),
                rows.entrySet().stream()
                    // A transfer names the device it starts from: it is tried from that one.
                    .filter(row ->
                        row.getValue().stream()
                            .noneMatch(c -> c.op() instanceof Transfer && device != Device.cpu()))
                    .map(row ->
                        DynamicTest.dynamicTest(
                            row.getKey(), () -> row.getValue().forEach(c -> check(c, device))))));
  }

  /** Holds the gradients of a case to differences. */
  static void check(OpCase c, Device device) {
    check(c, device, GradCheck.standard());
  }

  /** Holds them by a check that may look at less. */
  static void check(OpCase c, Device device, GradCheck check) {
    try (var scope = TensorScope.open(device)) {
      Tensor[] all = c.inputs();
      List<Integer> by = new ArrayList<>();
      for (int i = 0; i < all.length; i++) {
        if (c.differentiable(i)) {
          by.add(i);
        }
      }
      assertThat(by).as("%s has something to differentiate by", c).isNotEmpty();
      // Contiguous copies: the check writes into what it differentiates by. A reshape is a view, or
      // refuses.
      Tensor[] inputs = by.stream().map(i -> all[i].copy()).toArray(Tensor[]::new);
      var report =
          check
              .run(
                  c.toString(),
                  in -> {
                    Tensor[] operands = all.clone();
                    for (int k = 0; k < in.length; k++) {
                      Tensor operand = all[by.get(k)];
                      // In the arrangement of the case: strides are part of it.
                      Tensor x = c.op() instanceof Views.Reshape ? in[k].contiguous() : in[k];
                      operands[by.get(k)] = arranged(x, operand);
                    }
                    return floating(Op.applyAll(c.op(), operands));
                  },
                  inputs)
              .require();
      assertThat(report.compared()).as("%s", c).isPositive();
      if (c.op() instanceof ReduceAxes of
          && (of.reduce() == Reduce.MAX || of.reduce() == Reduce.MIN)) {
        // At a tie any share is right for each of the equals by itself; together they get what
        // arrives.
        Tensor x = all[0].zerosLike();
        Tensor g = Grad.of(() -> Op.apply(of, x).sum(), x).get(0);
        assertThat(g.sum().item())
            .as("%s", c)
            .isCloseTo((double) Op.apply(of, x).size(), within(1e-9));
      }
    }
  }

  /** x, lying in memory as another tensor does if that is its transpose. */
  private static Tensor arranged(Tensor x, Tensor like) {
    return like.rank() == 2 && !Engine.layout(like).isContiguous()
        ? x.transpose(0, 1).contiguous().transpose(0, 1)
        : x;
  }

  /** What is floating of the outputs, in one row. */
  private static Tensor floating(Tensor... outputs) {
    List<Tensor> all =
        Stream.of(outputs)
            .filter(y -> y.dtype().isFloating())
            .map(y -> y.to(TensorScope.current().device()))
            .toList();
    return all.size() == 1
        ? all.getFirst()
        : Tensor.concat(all.stream().map(Tensor::flatten).toList(), 0);
  }
}
