package conformance;

import ca.uhn.fhir.context.support.IValidationSupport;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.hl7.fhir.common.hapi.validation.validator.FhirDefaultPolicyAdvisor;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.model.CanonicalResource;
import org.hl7.fhir.r5.model.CanonicalType;
import org.hl7.fhir.r5.utils.validation.IResourceValidator;
import org.hl7.fhir.r5.utils.validation.IValidatorResourceFetcher;
import org.hl7.fhir.r5.utils.validation.constants.ReferenceValidationPolicy;

/**
 * What the validator does about things outside the document: a reference's target type is checked where it can be told,
 * a canonical must resolve if it lies under a base that was loaded, and nothing is ever fetched.
 */
final class Policy extends FhirDefaultPolicyAdvisor implements IValidatorResourceFetcher {

  private final Content content;
  private final IValidationSupport support;

  Policy(Content content, IValidationSupport support) {
    this.content = content;
    this.support = support;
  }

  @Override
  public ReferenceValidationPolicy policyForReference(
      IResourceValidator validator, Object context, String path, String url, ReferenceDestinationType destination) {
    return content.oughtToHold(url)
        ? ReferenceValidationPolicy.CHECK_EXISTS_AND_TYPE
        : ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS;
  }

  @Override
  public ReferenceValidationPolicy getReferencePolicy() {
    return ReferenceValidationPolicy.CHECK_TYPE_IF_EXISTS;
  }

  /** HAPI leaves out "the target matches no profile" for references within a Bundle; HL7's own tool does not. */
  @Override
  public boolean isSuppressMessageId(String path, String messageId) {
    return false;
  }

  @Override
  public Element fetch(IResourceValidator validator, Object context, String url) {
    return null;
  }

  @Override
  public boolean resolveURL(
      IResourceValidator validator,
      Object context,
      String path,
      String url,
      String type,
      boolean canonical,
      List<CanonicalType> targets) {
    return content.holds(url) || !content.oughtToHold(url) || support.fetchResource(null, url) != null;
  }

  @Override
  public byte[] fetchRaw(IResourceValidator validator, String url) {
    throw new UnsupportedOperationException("the reference validator runs without a network: " + url);
  }

  @Override
  public IValidatorResourceFetcher setLocale(Locale locale) {
    return this;
  }

  @Override
  public CanonicalResource fetchCanonicalResource(IResourceValidator validator, Object context, String url) {
    return null;
  }

  @Override
  public boolean fetchesCanonicalResource(IResourceValidator validator, String url) {
    return false;
  }

  @Override
  public Set<ResourceVersionInformation> fetchCanonicalResourceVersions(
      IResourceValidator validator, Object context, String url) {
    return Set.of();
  }
}
