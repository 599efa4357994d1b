import Storages
import StoragesHTTP

extension PostPolicy {
    /// A condition that the service checks of a field of the form.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>
    enum Condition: Sendable {
        case equals(name: String, value: String)
        case startsWith(name: String, prefix: String)
        case contentLength(ClosedRange<Int>)

        func write(to json: inout JSONText) {
            switch self {
            case .equals(let name, let value):
                json.append(object: [(name, value)])
            case .startsWith(let name, let prefix):
                json.append(array: ["starts-with", "$" + name, prefix])
            case .contentLength(let range):
                json.append("[\"content-length-range\", \(range.lowerBound), \(range.upperBound)]")
            }
        }
    }

    /// Returns the fields of the form and the conditions on them, but for those of the signature: each field has its
    /// condition, because the service refuses a form with any other.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for values that no form can have.
    func fieldsAndConditions() throws -> (fields: [(name: String, value: String)], conditions: [Condition]) {
        var fields = [try keyField()]
        var conditions = [Condition.equals(name: "bucket", value: bucket), keyCondition]
        func add(_ name: String, value: String) throws {
            try HeaderValidation.checkName(name)
            try HeaderValidation.checkValue(value, of: name)
            guard !fields.contains(where: { HTTPHeaders.areEqual($0.name, name) }), !PostPolicy.isReserved(name) else {
                throw StorageError(
                    .invalidConfiguration,
                    "The field \(StorageError.quoted(name)) of a form is given twice, or is of the form itself. Leave "
                        + "it out."
                )
            }
            fields.append((name, value))
            conditions.append(.equals(name: name, value: value))
        }
        if let contentLength {
            guard contentLength.lowerBound >= 0 else {
                throw StorageError(
                    .invalidConfiguration,
                    "A file cannot have fewer than 0 bytes. Begin the range at 0."
                )
            }
            conditions.append(.contentLength(contentLength))
        }
        if let acl { try add("acl", value: acl) }
        switch contentType {
        case .exact(let type): try add("Content-Type", value: type)
        case .prefix(let prefix): conditions.append(.startsWith(name: "Content-Type", prefix: prefix))
        case nil: break
        }
        for field in metadata.fields { try add(field.name, value: field.value) }
        if let successStatus {
            guard [200, 201, 204].contains(successStatus) else {
                throw StorageError(
                    .invalidConfiguration,
                    "A form's status of success is 200, 201 or 204, not \(successStatus). Choose one of these."
                )
            }
            try add("success_action_status", value: String(successStatus))
        }
        for field in self.fields.fields { try add(field.name, value: field.value) }
        return (fields, conditions)
    }

    /// The text that the service replaces with the name of the file.
    private static let filename = "${filename}"

    private func keyField() throws -> (name: String, value: String) {
        let (text, value) =
            switch key {
            case .exact(let key): (key, key)
            case .prefix(let prefix): (prefix, prefix + PostPolicy.filename)
            }
        guard !text.contains(PostPolicy.filename) else {
            throw StorageError(
                .invalidConfiguration,
                "The key of a form contains ${filename}, which the service would replace. Give what is before it as a "
                    + "prefix."
            )
        }
        return ("key", value)
    }

    private var keyCondition: Condition {
        switch key {
        case .exact(let key): .equals(name: "key", value: key)
        case .prefix(let prefix): .startsWith(name: "key", prefix: prefix)
        }
    }

    private static let reserved = [
        "bucket", "file", "policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token",
        "x-amz-signature", "content-length-range",
    ]

    private static func isReserved(_ name: String) -> Bool {
        reserved.contains { HTTPHeaders.areEqual($0, name) }
    }
}
