import Foundation
import Storages

extension SigV4Signer {
    /// Makes the fields of a form with which a browser uploads one file; nothing is sent.
    ///
    /// - Parameters:
    ///   - policy: The policy of the upload.
    ///   - credentials: The credentials that sign; a token becomes a field.
    ///   - date: The date by the clock of the service.
    /// - Throws: ``StorageError`` with code `invalidURL` for a lifetime outside 1 second to 7 days,
    ///   `invalidConfiguration` for values that no form can have, `unavailable` when libcrypto failed.
    func form(for policy: PostPolicy, with credentials: S3Credentials, at date: Date) throws -> PostForm {
        let lifetime = try SignatureLifetime.seconds(of: policy.lifetime, for: "a form")
        let start = AmazonDate(date)
        let scope = Scope(start, self)
        let end = AmazonDate(secondsSince1970: start.secondsSince1970 + lifetime)

        var (fields, conditions) = try policy.fieldsAndConditions()
        var ofSignature = [
            (name: "x-amz-algorithm", value: SigV4Signer.algorithm),
            (name: "x-amz-credential", value: credentials.accessKeyID + "/" + scope.text),
            (name: "x-amz-date", value: scope.timestamp),
        ]
        if let token = credentials.sessionToken { ofSignature.append((name: "x-amz-security-token", value: token)) }
        fields += ofSignature
        conditions += ofSignature.map { .equals(name: $0.name, value: $0.value) }

        let text = SigV4Signer.text(of: conditions, until: end)
        let encoded = Data(text.utf8).base64EncodedString()
        fields.append((name: "policy", value: encoded))
        fields.append((name: "x-amz-signature", value: try signature(ofPolicy: encoded, scope: scope, credentials)))

        let expiration = min(end.date, credentials.expiration ?? end.date)
        return PostForm(fields: fields, expiration: expiration, isCutShort: expiration < end.date)
    }

    /// Returns the signature of a policy in base64.
    func signature(ofPolicy policy: String, scope: Scope, _ credentials: S3Credentials) throws -> String {
        try key(for: scope, secret: credentials.secretAccessKey).signature(of: Array(policy.utf8))
    }

    private static func text(of conditions: [PostPolicy.Condition], until end: AmazonDate) -> String {
        var json = JSONText()
        json.append("{\"expiration\": \"\(end.iso8601)\", \"conditions\": [")
        for (index, condition) in conditions.enumerated() {
            if index > 0 { json.append(", ") }
            condition.write(to: &json)
        }
        json.append("]}")
        return json.text
    }
}
