extension S3Failure {
    /// Returns whether the server refused because the condition does not hold.
    func isRefusal(of condition: WriteCondition) -> Bool {
        // Amazon S3 responds with "not found" when the object that is to be replaced does not exist.
        isConditionConflict || condition.wantsVersion && isMissingObject && code != .noSuchUpload
    }

    /// A Boolean value that indicates whether the server refused because a precondition failed or the object exists.
    var isConditionConflict: Bool {
        status == 412 || status == 304 || code == .preconditionFailed || code == .fileAlreadyExists
            || code == .objectAlreadyExists
    }

    /// A Boolean value that indicates whether the server does not support DeleteObjects.
    var isNoBulkDeletion: Bool {
        // It does not matter who responds: the files are then deleted one by one, with requests of their own.
        switch respondedStatus {
        case 405, 501: true
        // Google's response to a POST on a bucket, and those of servers that do not understand its body.
        case 400: [.invalidArgument, .notImplemented, .invalidRequest, .malformedXML, nil].contains(code)
        default: false
        }
    }

    /// A Boolean value that indicates whether the server reports that it does not implement a request.
    var isNotImplemented: Bool { status == 501 || code == .notImplemented }

    /// A Boolean value that indicates whether the server reports that it does not implement a request, or does not
    /// allow it for such a resource.
    var isUnsupportedRequest: Bool { isNotImplemented || status == 405 || code == .methodNotAllowed }
}
