package carousel.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every public type, constructor and method of an exported package has a comment.
 *
 * <p>Doclint's group {@code missing} would ask for a {@code @param} and a {@code @return} each time
 * as well; here a comment opens with the formula and the shapes, which say it better. What doclint
 * checks beyond that (syntax, references, HTML) it checks when the compiler runs.
 */
class DocumentationTest {

  @TestFactory
  Stream<DynamicTest> isThereForWhatIsPublic() {
    return House.MODULES.stream()
        .map(module ->
            DynamicTest.dynamicTest(
                module, () -> assertThat(undocumented(module)).as("undocumented").isEmpty()));
  }

  private static List<String> undocumented(String module) throws IOException {
    var exported =
        House.descriptor(module).exports().stream().map(export -> export.source()).toList();
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      var task =
          (JavacTask)
              compiler.getTask(
                  null,
                  files,
                  null,
                  List.of("-proc:none"),
                  null,
                  files.getJavaFileObjectsFromPaths(House.sources(module)));
      var undocumented = new ArrayList<String>();
      for (var unit : task.parse()) {
        if (exported.contains(packageOf(unit))) {
          new Public(DocTrees.instance(task), undocumented).scan(unit, null);
        }
      }
      return undocumented;
    }
  }

  private static String packageOf(CompilationUnitTree unit) {
    return unit.getPackageName() == null ? "" : unit.getPackageName().toString();
  }

  /** Walks the public declarations of a file and collects those without a comment. */
  private static final class Public extends TreePathScanner<Void, Void> {
    private final DocTrees docs;
    private final List<String> undocumented;

    Public(DocTrees docs, List<String> undocumented) {
      this.docs = docs;
      this.undocumented = undocumented;
    }

    @Override
    public Void visitClass(ClassTree type, Void unused) {
      if (!isPublic(type.getModifiers())) {
        return null;
      }
      require(type.getSimpleName().toString());
      return super.visitClass(type, null);
    }

    @Override
    public Void visitMethod(MethodTree method, Void unused) {
      if (isPublic(method.getModifiers()) && !overrides(method)) {
        require(method.getName().toString());
      }
      return null; // what is declared inside a body is nobody's API
    }

    @Override
    public Void visitVariable(VariableTree field, Void unused) {
      return null;
    }

    private void require(String name) {
      if (docs.getDocComment(getCurrentPath()) == null) {
        var unit = getCurrentPath().getCompilationUnit();
        long at = docs.getSourcePositions().getStartPosition(unit, getCurrentPath().getLeaf());
        undocumented.add(
            Path.of(unit.getSourceFile().toUri()).getFileName()
                + ":"
                + unit.getLineMap().getLineNumber(at)
                + " "
                + name);
      }
    }

    // Members of a public interface are public without saying so.
    private boolean isPublic(ModifiersTree modifiers) {
      var flags = modifiers.getFlags();
      return flags.contains(Modifier.PUBLIC)
          || flags.contains(Modifier.PROTECTED)
          || (isInterface(getCurrentPath().getParentPath()) && !flags.contains(Modifier.PRIVATE));
    }

    private static boolean isInterface(TreePath path) {
      return path.getLeaf().getKind() == Tree.Kind.INTERFACE;
    }

    private static boolean overrides(MethodTree method) {
      return method.getModifiers().getAnnotations().stream()
          .anyMatch(annotation -> annotation.getAnnotationType().toString().equals("Override"));
    }
  }
}
