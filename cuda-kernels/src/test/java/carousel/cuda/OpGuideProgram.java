package carousel.cuda;

import carousel.autograd.GradCheck;
import carousel.cuda.driver.KernelSource;
import carousel.cuda.emulator.EmulatedDriver;
import carousel.cuda.emulator.KernelDeclaration;
import carousel.cuda.launch.Kernel;
import carousel.tensor.Device;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Contract;
import carousel.tensor.contract.OpCase;
import carousel.tensor.contract.OpCases;
import carousel.tensor.op.Op;
import carousel.tensor.op.Unary;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** Holds a row that {@link OpGuideTest} has added to what every row owes, on the CPU and on the emulated device. */
public final class OpGuideProgram {
  private static final String ROW = "ELLIOTT";

  private OpGuideProgram() {}

  /** Prints what went wrong, or {@code all is well}. */
  public static void main(String[] arguments) throws ReflectiveOperationException {
    var row = Unary.valueOf(ROW);
    List<String> wrong = new ArrayList<>();
    EmulatedDriver driver = Cuda.emulated();
    Set<String> there =
        driver.declarations(KernelSource.of("unary.cu")).stream()
            .map(KernelDeclaration::symbol)
            .collect(Collectors.toSet());
    CudaBackend.kernels()
        .filter(kernel -> kernel.file().equals("unary.cu"))
        .map(Kernel::symbol)
        .filter(symbol -> !there.contains(symbol))
        .forEach(symbol -> wrong.add("unary.cu has no " + symbol));
    List<Device> devices =
        wrong.isEmpty()
            ? List.of(Device.cpu(), Device.of("cuda-emulated", Cuda.backend(driver)))
            : List.of(Device.cpu());
    List<OpCase> cases = OpCases.all().filter(c -> c.op() == row).toList();
    List<OpCase> smooth = OpCases.smooth().filter(c -> c.op() == row).toList();
    if (cases.isEmpty() || smooth.isEmpty()) {
      wrong.add("the catalogue has no cases of it");
    }
    cases.forEach(c -> wrong.addAll(Contract.violations(c, devices)));
    for (OpCase c : smooth) {
      try (var scope = TensorScope.open()) {
        var report =
            GradCheck.standard()
                .withOrder(2)
                .run(c.toString(), in -> Op.apply(row, in), c.inputs()[0].copy());
        if (!report.passed()) {
          wrong.add(report.toString());
        }
      }
    }
    try (var scope = TensorScope.open()) {
      Tensor x = Tensor.of(-3.0, 0, 1);
      var method = Tensor.class.getMethod(ROW.toLowerCase(Locale.ROOT));
      Tensor y = (Tensor) Objects.requireNonNull(method.invoke(x));
      if (!y.sameValues(Tensor.of(-0.75, 0, 0.5))) {
        wrong.add("the method gives " + y);
      }
    }
    wrong.stream().limit(20).forEach(System.out::println);
    System.out.println(
        wrong.isEmpty()
            ? cases.size() + " cases: all is well"
            : wrong.size() + " things are wrong");
  }
}
