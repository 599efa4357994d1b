import CLibCurl

/// Sets the options of an easy handle and remembers whether all were accepted.
struct CurlOptions {
    let handle: UnsafeMutableRawPointer
    private(set) var failure: (option: CURLoption, code: CURLcode)?

    init(_ handle: UnsafeMutableRawPointer) {
        self.handle = handle
    }

    mutating func set(_ option: CURLoption, _ value: Int) {
        note(option, stored_files_curl_set_long(handle, option, value))
    }

    mutating func set(_ option: CURLoption, _ value: Bool) {
        set(option, value ? 1 : 0)
    }

    mutating func set(_ option: CURLoption, bytes: Int64) {
        note(option, stored_files_curl_set_offset(handle, option, curl_off_t(bytes)))
    }

    /// Sets an option to a text, which libcurl copies.
    mutating func set(_ option: CURLoption, _ value: String?) {
        note(option, stored_files_curl_set_string(handle, option, value))
    }

    mutating func set(_ option: CURLoption, pointer: UnsafeMutableRawPointer?) {
        note(option, stored_files_curl_set_pointer(handle, option, pointer))
    }

    mutating func set(_ option: CURLoption, list: UnsafeMutablePointer<curl_slist>?) {
        note(option, stored_files_curl_set_list(handle, option, list))
    }

    mutating func set(_ option: CURLoption, callback: stored_files_curl_data_callback?) {
        note(option, stored_files_curl_set_data_callback(handle, option, callback))
    }

    mutating func setSeek(callback: stored_files_curl_seek_callback?) {
        note(CURLOPT_SEEKFUNCTION, stored_files_curl_set_seek_callback(handle, callback))
    }

    /// Sets the callback that is called each time the request is about to be sent.
    mutating func setRequest(callback: stored_files_curl_request_callback?) {
        note(CURLOPT_PREREQFUNCTION, stored_files_curl_set_request_callback(handle, callback))
    }

    private mutating func note(_ option: CURLoption, _ code: CURLcode) {
        guard code != CURLE_OK, failure == nil else { return }
        failure = (option, code)
    }
}
